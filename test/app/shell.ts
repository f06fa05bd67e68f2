import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import {
  _electron,
  chromium,
  expect,
  test as base,
  type ElectronApplication,
  type Page,
} from '@playwright/test';
import { chromiumPath } from '../setup/chromium.ts';
import { desktopBinary } from '../setup/electron.ts';
import { descendants, isAlive } from './processes.ts';

export { expect };

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

export interface ShellOptions {
  shellKind: 'desktop' | 'browser';
}

/** Lathe running in one of its shells, with a library of its own. */
export interface Shell {
  readonly page: Page;
  /** The library's folder. */
  readonly home: string;
  /** When the window appeared, by `performance.now()`. */
  readonly appearedAt: number;
  /** Only in the desktop. */
  readonly application: ElectronApplication | null;
  /** The processes that run models. */
  runners(): Promise<number[]>;
  /** Quits as a person would; gives the processes that stayed behind. */
  quit(): Promise<number[]>;
}

/** Writes a measured figure into the test's report. */
export const report = (line: string): void => void process.stdout.write(`    ${line}\n`);

/** A test gets a fresh shell; `shellKind` says which, by project. */
export const test = base.extend<ShellOptions & { shell: Shell }>({
  shellKind: ['desktop', { option: true }],
  shell: async ({ shellKind }, use) => {
    const home = mkdtempSync(join(tmpdir(), 'lathe-test-'));
    const shell = await (shellKind === 'desktop' ? openDesktop(home) : openBrowser(home));
    await use(shell);
    await shell.quit();
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  },
});

const environment = (home: string): Record<string, string> => ({
  ...process.env,
  LATHE_HOME: home,
});

/** Opens the window on this library. */
export async function openDesktop(home: string): Promise<Shell> {
  const application = await _electron.launch({
    executablePath: desktopBinary().path,
    args: [root],
    env: environment(home),
  });
  const child = application.process();
  passOn(child.stderr, /^(Debugger|DevTools|For help|Waiting for the debugger)/);
  const quit = (): Promise<number[]> => leave(child, () => application.close());
  try {
    const page = await application.firstWindow();
    await page.waitForURL((url) => url.protocol !== 'about:');
    const appearedAt = performance.now();
    await ready(page, child);
    const runners = (): Promise<number[]> => processesNamed(application, 'Lathe runner');
    return { page, home, appearedAt, application, runners, quit };
  } catch (error) {
    await quit();
    throw error;
  }
}

async function openBrowser(home: string): Promise<Shell> {
  const child = spawn(node, ['main/cli.ts', 'studio', '--browser', '--no-open'], {
    cwd: root,
    env: environment(home),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  passOn(child.stderr, /^$/);
  const url = await firstAddress(child);
  const browser = await chromium.launch({ executablePath: chromiumPath() });
  const quit = async (): Promise<number[]> => {
    await browser.close();
    return leave(child, async () => void child.kill('SIGINT'));
  };
  try {
    const page = await browser.newPage({ viewport: { width: 1360, height: 880 } });
    await page.goto(url);
    const appearedAt = performance.now();
    await ready(page, child);
    const runners = async (): Promise<number[]> =>
      descendants(child.pid ?? 0)
        .filter(({ command }) => /runner[/.]/.test(command))
        .map(({ pid }) => pid);
    return { page, home, appearedAt, application: null, runners, quit };
  } catch (error) {
    await quit();
    throw error;
  }
}

/** The page is usable when it knows the library; if it never is, what there was instead. */
async function ready(page: Page, child: ChildProcess): Promise<void> {
  try {
    await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeEnabled();
  } catch (cause) {
    const status = await page.locator('body').innerText();
    const processes = descendants(child.pid ?? 0).map(({ pid, command }) => `${pid} ${command}`);
    throw new Error([`not ready: ${status}`, ...processes].join('\n'), { cause });
  }
}

/** The utility processes of this name. */
export async function processesNamed(
  application: ElectronApplication,
  name: string,
): Promise<number[]> {
  const all = await application.evaluate(({ app }) =>
    app.getAppMetrics().map((metric) => ({ pid: metric.pid, name: metric.name })),
  );
  return all.filter((metric) => metric.name === name).map(({ pid }) => pid);
}

/** Ends the shell and waits for all that it started; once is enough. */
async function leave(child: ChildProcess, end: () => Promise<void>): Promise<number[]> {
  if (child.exitCode !== null || child.signalCode !== null) return [];
  const started = descendants(child.pid ?? 0).map(({ pid }) => pid);
  const exited = once(child, 'exit');
  await end();
  await exited;
  const deadline = performance.now() + 3000;
  while (started.some(isAlive) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return started.filter(isAlive);
}

async function firstAddress(child: ChildProcess): Promise<string> {
  for await (const line of createInterface(child.stdout as Readable)) {
    const [address] = /http:\/\/\S+/.exec(line) ?? [];
    if (address) return address;
  }
  throw new Error('the browser shell ended without an address');
}

/** Shows what the shell complains of, less what is known. */
function passOn(stream: Readable | null, known: RegExp): void {
  createInterface(stream as Readable).on('line', (line) => {
    if (!known.test(line)) process.stderr.write(`${line}\n`);
  });
}
