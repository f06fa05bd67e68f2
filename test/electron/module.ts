/** What `import … from 'electron'` gives the application's main process. */
export { app } from './app.ts';
export { BrowserWindow, webContents } from './browserWindow.ts';
export { ipcMain } from './ipcMain.ts';
export { MessageChannelMain } from './ports.ts';
export { protocol } from './scheme.ts';
export { session } from './session.ts';
export { dialog, Menu, nativeTheme, screen, shell } from './system.ts';
export { utilityProcess } from './utilityProcess.ts';
