import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app, BrowserWindow, dialog, Menu, protocol, session } from 'electron';
import { serveAsset } from './app/assets.ts';
import { createCrashTracker } from './app/crashes.ts';
import { createEngineSupervisor } from './app/engine.ts';
import { denyPermissions, guardContents } from './app/guards.ts';
import { answerBridge } from './app/ipc.ts';
import { menuTemplate } from './app/menu.ts';
import { appScheme, appSchemePrivileges } from './app/security.ts';
import { openWindow } from './app/window.ts';

const built = join(import.meta.dirname, '..');

app.setName('Lathe');
// Each library has its own window: its own lock, profile and memory of where it was.
const windowHome = join(process.env['LATHE_HOME'] || app.getPath('userData'), 'window');
mkdirSync(windowHome, { recursive: true });
app.setPath('userData', windowHome);
app.enableSandbox();
protocol.registerSchemesAsPrivileged([{ scheme: appScheme, privileges: appSchemePrivileges }]);

// Electron becomes ready only after this module has run: waiting for that here would never end.
if (app.requestSingleInstanceLock()) run().catch(fail);
else app.quit();

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  app.exit(1);
}

async function run(): Promise<void> {
  const engine = createEngineSupervisor({
    enginePath: join(built, 'main/engine.js'),
    runnerPath: join(built, 'main/runner.js'),
    onGivenUp: (code, lastWords) => void reportGivenUp(code, lastWords),
  });

  async function reportGivenUp(code: number, lastWords: string): Promise<void> {
    const again = await ask(
      'The engine stopped three times in five minutes',
      `Exit code: ${code}\n\n${lastWords}`,
    );
    if (again) engine.start();
    else app.quit();
  }

  app.on('web-contents-created', (_event, contents) => guardContents(contents));
  app.on('second-instance', () => {
    const [window] = BrowserWindow.getAllWindows();
    if (window === undefined) return;
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('activate', () => {
    if (app.isReady() && BrowserWindow.getAllWindows().length === 0) open();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });

  let stopped = false;
  app.on('will-quit', (event) => {
    if (stopped) return;
    event.preventDefault();
    void stopThenQuit();
  });

  async function stopThenQuit(): Promise<void> {
    await engine.stop();
    stopped = true;
    app.quit();
  }

  await app.whenReady();
  denyPermissions(session.defaultSession);
  protocol.handle(appScheme, (request) => serveAsset(join(built, 'renderer'), request));
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform)));
  answerBridge(engine);
  engine.start();
  open();
}

function open(): void {
  const window = openWindow({
    preload: join(built, 'preload/index.cjs'),
    stateFile: join(windowHome, 'window.json'),
  });
  const crashes = createCrashTracker();
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    if (crashes.mayRestart()) window.webContents.reload();
    else void reportPageGone(reason);
  });

  async function reportPageGone(reason: string): Promise<void> {
    const again = await ask('The page stopped three times in five minutes', `Reason: ${reason}`);
    crashes.reset();
    if (again) window.webContents.reload();
    else app.quit();
  }
}

/** True: start again; false: quit. */
async function ask(message: string, detail: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message,
    detail,
    buttons: ['Start again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}
