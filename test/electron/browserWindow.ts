import { EventEmitter } from 'node:events';
import { app } from './app.ts';
import { chromium, onPopup } from './browser.ts';
import { toChromium } from './scheme.ts';
import { session } from './session.ts';
import { openTarget, type Target } from './target.ts';
import { WebContents } from './webContents.ts';

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface WindowOptions extends Partial<Rectangle> {
  title?: string;
  webPreferences?: {
    preload?: string;
    sandbox?: boolean;
    contextIsolation?: boolean;
    nodeIntegration?: boolean;
  };
}

let windows: BrowserWindow[] = [];
let count = 0;

/** A window of the application: one page of Chromium, and what the application did to it. */
export class BrowserWindow extends EventEmitter {
  readonly id: number;
  readonly webContents: WebContents;
  #bounds: Rectangle;
  #state: 'normal' | 'maximized' | 'minimized' = 'normal';
  #visible: boolean;
  #destroyed = false;
  readonly #target: Promise<Target>;

  constructor(options: WindowOptions & { show?: boolean } = {}) {
    super();
    const { sandbox, contextIsolation, nodeIntegration, preload } = options.webPreferences ?? {};
    if (sandbox === false || contextIsolation === false || nodeIntegration === true) {
      throw new Error('electron stand-in: only sandboxed, isolated windows without Node');
    }
    count += 1;
    this.id = count;
    const { x = 0, y = 0, width = 800, height = 600 } = options;
    this.#bounds = { x, y, width, height };
    this.#visible = options.show ?? true;
    this.webContents = new WebContents(() => this.close());
    windows.push(this);
    app.emit('web-contents-created', {}, this.webContents);
    this.#target = this.#open(width, height, preload);
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows];
  }

  static fromWebContents(contents: WebContents | undefined): BrowserWindow | null {
    return windows.find((window) => window.webContents === contents) ?? null;
  }

  async loadURL(url: string): Promise<void> {
    const target = await this.#target;
    const address = await toChromium(url);
    const { origin } = new URL(address);
    await session.defaultSession.settle(chromium(), this.webContents, origin);
    const loaded = new Promise((resolve) => this.webContents.once('did-finish-load', resolve));
    await target.navigate(address);
    await loaded;
  }

  close(): void {
    let prevented = false;
    const preventDefault = (): void => {
      prevented = true;
    };
    this.emit('close', { preventDefault });
    if (!prevented) this.destroy();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    windows = windows.filter((window) => window !== this);
    void this.#target.then((target) => target.close());
    this.webContents.destroy();
    this.emit('closed');
    if (windows.length === 0) app.windowsClosed();
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  show(): void {
    this.#visible = true;
  }

  isVisible(): boolean {
    return this.#visible;
  }

  focus(): void {
    this.#visible = true;
    this.emit('focus');
  }

  maximize(): void {
    this.#state = 'maximized';
  }

  isMaximized(): boolean {
    return this.#state === 'maximized';
  }

  minimize(): void {
    this.#state = 'minimized';
  }

  isMinimized(): boolean {
    return this.#state === 'minimized';
  }

  restore(): void {
    this.#state = 'normal';
  }

  setBounds(bounds: Partial<Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...bounds };
  }

  getNormalBounds(): Rectangle {
    return this.#bounds;
  }

  async #open(width: number, height: number, preload: string | undefined): Promise<Target> {
    const events = this.webContents.targetEvents();
    this.webContents.once('did-finish-load', () => this.emit('ready-to-show'));
    const target = await openTarget(chromium(), { width, height, preload }, events);
    this.webContents.attach(target);
    onPopup(target.id, () => target.mayKeepPopup);
    return target;
  }
}

/** What Playwright uses to find the window behind a page. */
export const webContents = {
  getAllWebContents: (): WebContents[] => windows.map((window) => window.webContents),
  fromDevToolsTargetId: (targetId: string): WebContents | undefined =>
    windows.find((window) => window.webContents.targetId === targetId)?.webContents,
};

/** Closes every window; false when one of them refuses. */
export function closeAll(): boolean {
  for (const window of BrowserWindow.getAllWindows()) window.close();
  return windows.length === 0;
}

/** Chromium closed the page by itself. */
export function pageClosed(targetId: string): void {
  windows.find((window) => window.webContents.targetId === targetId)?.destroy();
}
