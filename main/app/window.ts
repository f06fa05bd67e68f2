import { BrowserWindow, nativeTheme, screen } from 'electron';
import { appUrl, webPreferences } from './security.ts';
import { loadWindowState, minimumSize, placeWindow, saveWindowState } from './windowState.ts';

/** Opens the one window, where it was last, and shows it once there is something to see. */
export function openWindow(options: { preload: string; stateFile: string }): BrowserWindow {
  const state = loadWindowState(options.stateFile);
  const areas = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...placeWindow(state?.bounds ?? null, areas),
    minWidth: minimumSize.width,
    minHeight: minimumSize.height,
    title: 'Lathe',
    show: false,
    // The page's own background, so that nothing flashes before the first paint.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#16181d' : '#ffffff',
    webPreferences: { ...webPreferences, preload: options.preload },
  });
  if (state?.maximized === true) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () =>
    saveWindowState(options.stateFile, {
      bounds: window.getNormalBounds(),
      maximized: window.isMaximized(),
    }),
  );
  void window.loadURL(appUrl);
  return window;
}
