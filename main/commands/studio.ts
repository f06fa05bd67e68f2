import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { resourcesPath } from '../library/resources.ts';
import { libraryFolder, noPositionals, UsageError, type Arguments } from './arguments.ts';
import type { Command, Context } from './command.ts';
import { findElectron } from './electron.ts';
import { note, print, printJson } from './output.ts';

export const command: Command = {
  summary: 'open the studio',
  synopsis: '[--browser] [--port N] [--no-open]',
  options: {
    browser: { help: 'serve it to the browser on this machine, without Electron' },
    port: { placeholder: 'N', help: 'port of the browser shell (default: a free one)' },
    'no-open': { help: 'only print the address' },
  },
  usesRunner: false,
  check(args) {
    noPositionals(args);
    portOf(args);
  },
  async run(context) {
    if (context.args.has('browser')) return inBrowser(context);
    const electron = await findElectron(note);
    if (electron.kind === 'found') return inWindow(electron.binary, context);
    note(`Electron is not there, ${electron.reason}; the studio opens in the browser instead.`);
    return inBrowser(context);
  },
};

function portOf(args: Arguments): number {
  const port = args.number('port') ?? 0;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port must be a whole number from 0 to 65535: ${port}`);
}

/** The folder with package.json, whose `main` is the desktop shell. */
const projectFolder = (): string => join(resourcesPath(), '..');

async function inWindow(binary: string, { args, signal }: Context): Promise<void> {
  const folder = projectFolder();
  const main = join(folder, 'out', 'main', 'index.js');
  if (!existsSync(main)) {
    throw new LatheError('file_missing', `the studio is not built, run npm run build: ${main}`, {
      file: main,
    });
  }
  // Chromium's sandbox refuses to work for root, who starts the studio in containers only.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const child = spawn(binary, [...flags, folder], {
    stdio: 'inherit',
    env: { ...process.env, LATHE_HOME: libraryFolder(args.text('home')) },
  });
  signal.addEventListener('abort', () => child.kill(), { once: true });
  await once(child, 'exit');
  const { exitCode, signalCode } = child;
  if (exitCode === 0 || signal.aborted) return;
  const how = signalCode ?? `exit code ${exitCode}`;
  throw new LatheError('engine_lost', `the window ended: ${how}`, { value: how });
}

async function inBrowser({ args, json, signal, whole }: Context): Promise<void> {
  const { serve } = await import('../serve.ts');
  const shell = await serve({
    engine: await whole(),
    page: join(projectFolder(), 'out', 'renderer'),
    port: portOf(args),
  });
  try {
    if (json) printJson({ url: shell.url });
    else print(shell.url);
    if (!args.has('no-open') && hasDisplay()) openInBrowser(shell.url);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await shell.close();
  }
}

function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
}

function openInBrowser(url: string): void {
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => note('No browser could be started; open the address above.'));
  child.unref();
}

const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
