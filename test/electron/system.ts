import { EventEmitter } from 'node:events';

/** What belongs to the desktop and needs a person: a test replaces these functions by its own. */
export const dialog = {
  showOpenDialog: async (): Promise<object> => ({ canceled: true, filePaths: [] }),
  showMessageBox: async (): Promise<object> => ({ response: 1, checkboxChecked: false }),
};

export const shell = {
  openExternal: async (url: string): Promise<void> => {
    throw new Error(`electron stand-in: no browser to open ${url}`);
  },
};

let applicationMenu: unknown = null;

export const Menu = {
  buildFromTemplate: (items: unknown): object => ({ items }),
  setApplicationMenu: (menu: unknown): void => {
    applicationMenu = menu;
  },
  getApplicationMenu: (): unknown => applicationMenu,
};

export const nativeTheme = Object.assign(new EventEmitter(), { shouldUseDarkColors: false });

export const screen = {
  getAllDisplays: (): object[] => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }],
};
