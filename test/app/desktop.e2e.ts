import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { desktopBinary } from '../setup/electron.ts';
import { button, failure, runToEnd, tokens } from './playground.ts';
import { descendants, isAlive } from './processes.ts';
import { expect, openDesktop, processesNamed, report, test, type Shell } from './shell.ts';

const root = join(import.meta.dirname, '../..');

/** What only the desktop has: its processes, its dialogs, and what its page may not do. */

function desktop(shell: Shell): NonNullable<Shell['application']> {
  if (shell.application === null) throw new Error('this is a test of the desktop');
  return shell.application;
}

test('a killed engine is back within 3 s with none of its runners, and the window goes on', async ({
  shell,
}) => {
  const { page } = shell;
  const application = desktop(shell);
  await runToEnd(page);
  const orphans = await shell.runners();
  const [before = 0] = await processesNamed(application, 'Lathe engine');
  const killedAt = performance.now();
  process.kill(before, 'SIGKILL');
  const engine = async (): Promise<number | undefined> =>
    (await processesNamed(application, 'Lathe engine')).find((pid) => pid !== before);
  await expect.poll(engine, { intervals: [20], timeout: 3000 }).toBeDefined();
  // Disabled while there is no engine: the click waits for the new one.
  await button(page, 'Run').click();
  report(`killed engine was back after ${(performance.now() - killedAt).toFixed(0)} ms`);
  await expect(button(page, 'Stop')).toBeEnabled();
  await expect(button(page, 'Run')).toBeEnabled();
  await expect(tokens(page)).not.toHaveCount(0);
  await expect(failure(page)).toBeHidden();
  expect(orphans.filter(isAlive)).toEqual([]);
});

test('an engine that hangs is ended after 15 s and started again', async ({ shell }) => {
  const { page } = shell;
  const application = desktop(shell);
  await runToEnd(page);
  const [before = 0] = await processesNamed(application, 'Lathe engine');
  process.kill(before, 'SIGSTOP');
  const engine = async (): Promise<number | undefined> =>
    (await processesNamed(application, 'Lathe engine')).find((pid) => pid !== before);
  await expect.poll(engine, { timeout: 20_000 }).toBeDefined();
  expect(isAlive(before)).toBe(false);
  await button(page, 'Run').click();
  await expect(tokens(page)).not.toHaveCount(0);
  await expect(failure(page)).toBeHidden();
});

test('after three crashes in five minutes the engine stays stopped until a dialog is answered', async ({
  shell,
}) => {
  const application = desktop(shell);
  await application.evaluate(({ dialog }) => {
    const asked: unknown[] = [];
    Object.assign(globalThis, { asked });
    // A person who thinks: the dialog stays open.
    Object.assign(dialog, {
      showMessageBox: (options: { message: string; buttons: string[] }) => {
        asked.push([options.message, options.buttons]);
        return new Promise((resolve) => Object.assign(globalThis, { answer: resolve }));
      },
    });
  });
  let last: number | undefined;
  for (let crash = 0; crash < 3; crash += 1) {
    await expect
      .poll(async () => {
        const [pid] = await processesNamed(application, 'Lathe engine');
        return pid !== undefined && pid !== last;
      })
      .toBe(true);
    [last] = await processesNamed(application, 'Lathe engine');
    process.kill(last ?? 0, 'SIGKILL');
  }
  const asked = (): Promise<unknown> =>
    application.evaluate(() => (globalThis as unknown as { asked: unknown[] }).asked);
  await expect
    .poll(asked)
    .toEqual([['The engine stopped three times in five minutes', ['Start again', 'Quit']]]);
  expect(await processesNamed(application, 'Lathe engine')).toEqual([]);

  // "Start again": it runs, and the page has a port to it.
  await application.evaluate(() =>
    (globalThis as unknown as { answer(value: object): void }).answer({ response: 0 }),
  );
  await expect.poll(() => processesNamed(application, 'Lathe engine')).toHaveLength(1);
  await expect(button(shell.page, 'Run')).toBeEnabled();
});

test('the page has the bridge and nothing of Node', async ({ shell: { page } }) => {
  const reach = await page.evaluate(() => ({
    bridge: Object.keys((globalThis as unknown as { lathe: object }).lathe).toSorted(),
    node: ['require', 'process', 'module', 'Buffer'].filter((name) => name in globalThis),
  }));
  expect(reach).toEqual({
    bridge: ['chooseFolder', 'connect', 'openExternal', 'platform'],
    node: [],
  });
});

test('links leave for the browser only if they are web or mail; no window opens', async ({
  shell,
}) => {
  const { page } = shell;
  const application = desktop(shell);
  await application.evaluate(({ shell: system }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { opened });
    Object.assign(system, { openExternal: async (url: string) => void opened.push(url) });
  });
  const before = page.url();
  const answers = await page.evaluate(async () => {
    const { lathe } = globalThis as unknown as {
      lathe: { openExternal(url: string): Promise<boolean> };
    };
    window.open('https://window.example/');
    const urls = ['https://bridge.example/', 'file:///etc/passwd', 'javascript:alert(1)'];
    return Promise.all(urls.map((url) => lathe.openExternal(url)));
  });
  await page.evaluate(() => {
    window.location.href = 'https://navigation.example/';
  });
  const opened = (): Promise<string[]> =>
    application.evaluate(() => (globalThis as unknown as { opened: string[] }).opened.toSorted());
  await expect
    .poll(opened)
    .toEqual(['https://bridge.example/', 'https://navigation.example/', 'https://window.example/']);
  expect(answers).toEqual([true, false, false]);
  expect(page.url()).toBe(before);
  await expect.poll(() => application.windows().length).toBe(1);
});

test('the page runs no script but its own and has no permission but to copy', async ({
  shell: { page },
}) => {
  const result = await page.evaluate(async () => {
    const refused = new Promise<string>((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) =>
        resolve(event.effectiveDirective),
      );
    });
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.head.append(script);
    const states = await Promise.all(
      (['geolocation', 'notifications', 'camera', 'microphone'] as PermissionName[]).map(
        async (name) => (await navigator.permissions.query({ name })).state,
      ),
    );
    return { refused: await refused, injected: 'injected' in window, states };
  });
  expect(result).toEqual({
    refused: 'script-src-elem',
    injected: false,
    states: ['denied', 'denied', 'denied', 'denied'],
  });
});

test('the system’s folder dialog answers the page', async ({ shell }) => {
  const { page } = shell;
  const choose = (): Promise<string | null> =>
    page.evaluate(() =>
      (
        globalThis as unknown as { lathe: { chooseFolder(): Promise<string | null> } }
      ).lathe.chooseFolder(),
    );
  await desktop(shell).evaluate(({ dialog }) => {
    const answers = [
      { canceled: false, filePaths: ['/models/one'] },
      { canceled: true, filePaths: [] },
    ];
    Object.assign(dialog, { showOpenDialog: async () => answers.shift() });
  });
  expect([await choose(), await choose()]).toEqual(['/models/one', null]);
});

test('a window comes back where it was', async ({ shell }) => {
  const { home } = shell;
  const bounds = { x: 100, y: 60, width: 1200, height: 800 };
  await desktop(shell).evaluate(
    ({ BrowserWindow }, place) => BrowserWindow.getAllWindows()[0]?.setBounds(place),
    bounds,
  );
  await shell.quit();
  const again = await openDesktop(home);
  const found = await desktop(again).evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.getNormalBounds(),
  );
  await again.quit();
  expect(found).toEqual(bounds);
});

test('the command “studio” opens the window and ends it on Ctrl-C', async ({ shell }) => {
  await shell.quit();
  const { path } = desktopBinary();
  const studio = spawn(process.execPath, ['main/cli.ts', 'studio'], {
    cwd: root,
    env: {
      ...process.env,
      LATHE_HOME: shell.home,
      ELECTRON_OVERRIDE_DIST_PATH: dirname(path),
    },
    stdio: 'inherit',
  });
  const started = (): string[] => descendants(studio.pid ?? 0).map(({ command }) => command);
  await expect.poll(started).toContainEqual(expect.stringContaining('engine.js'));
  const all = descendants(studio.pid ?? 0).map(({ pid }) => pid);
  studio.kill('SIGINT');
  expect(await once(studio, 'exit')).toEqual([0, null]);
  await expect.poll(() => all.filter(isAlive)).toEqual([]);
});

test('a second start brings the first window forward and ends', async ({ shell }) => {
  const { home } = shell;
  const application = desktop(shell);
  await application.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    window?.minimize();
  });
  const { path } = desktopBinary();
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const second = spawn(path, [...flags, root], {
    env: { ...process.env, LATHE_HOME: home },
    stdio: 'inherit',
  });
  expect(await once(second, 'exit')).toEqual([0, null]);
  const minimized = (): Promise<boolean | undefined> =>
    application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isMinimized());
  await expect.poll(minimized).toBe(false);
});
