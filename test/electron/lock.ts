import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * True for the first living process that asks for this file. A later one leaves its arguments
 * beside it, wakes the first by a signal, and gets false.
 */
export function takeLock(path: string, onSecond: (argv: string[], cwd: string) => void): boolean {
  const note = `${path}.second`;
  const holder = readHolder(path);
  if (holder !== null && isAlive(holder)) {
    writeFileSync(note, JSON.stringify({ argv: process.argv, cwd: process.cwd() }));
    process.kill(holder, 'SIGUSR2');
    return false;
  }
  writeFileSync(path, String(process.pid));
  process.on('SIGUSR2', () => {
    const { argv, cwd } = JSON.parse(readFileSync(note, 'utf8')) as { argv: string[]; cwd: string };
    onSecond(argv, cwd);
  });
  process.on('exit', () => rmSync(path, { force: true }));
  return true;
}

function readHolder(path: string): number | null {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return null; // nobody holds it
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
