import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The Electron binary, or the reason in a few words why there is none. */
export type FoundElectron = { kind: 'found'; binary: string } | { kind: 'absent'; reason: string };

/** A slow line needs minutes for 110 MB; a dead one says so within seconds. */
const downloadMs = 10 * 60_000;

/** What takes no longer needs no announcement. */
const quickMs = 2000;

/** Finds the binary of the electron package that belongs to this project. */
export async function findElectron(note: (text: string) => void): Promise<FoundElectron> {
  const folder = packageFolder();
  if (folder === null) return { kind: 'absent', reason: 'the electron package is not installed' };
  return electronIn(folder, process.env['ELECTRON_OVERRIDE_DIST_PATH'], note);
}

/**
 * Finds Electron the way its own package does: in the folder of `override`, else what was
 * downloaded into the package's folder before, else by downloading it now, as its first launch
 * would.
 */
export async function electronIn(
  folder: string,
  override: string | undefined,
  note: (text: string) => void,
): Promise<FoundElectron> {
  if (override !== undefined) {
    const binary = join(override, binaryName(folder) ?? 'electron');
    if (existsSync(binary)) return { kind: 'found', binary };
    return { kind: 'absent', reason: `there is no ${binary}` };
  }
  const before = downloaded(folder);
  if (before !== null) return { kind: 'found', binary: before };
  const slow = setTimeout(() => note('Downloading Electron, once …'), quickMs);
  const failure = await download(folder);
  clearTimeout(slow);
  const now = downloaded(folder);
  if (now !== null) return { kind: 'found', binary: now };
  return { kind: 'absent', reason: `the binary could not be downloaded (${failure})` };
}

function packageFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** What a finished download wrote down. */
function binaryName(folder: string): string | null {
  const file = join(folder, 'path.txt');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function downloaded(folder: string): string | null {
  const name = binaryName(folder);
  if (name === null) return null;
  const binary = join(folder, 'dist', name);
  return existsSync(binary) ? binary : null;
}

/** Runs the package's own installer; gives its last words. */
function download(folder: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(folder, 'install.js')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: downloadMs,
    });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(messageIn(words)));
  });
}

/** The line of an uncaught error that says what went wrong, without the error's class. */
function messageIn(words: string): string {
  const lines = words.split('\n').map((line) => line.trim());
  const error = lines.map((line) => /^\w*Error\b[^:]*: (.+)/.exec(line)?.[1]);
  return (
    error.find((line) => line !== undefined) ??
    lines.find((line) => line !== '') ??
    'no reason given'
  );
}
