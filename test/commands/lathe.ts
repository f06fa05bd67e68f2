import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The command line's own file. */
export const cli = fileURLToPath(new URL('../../main/cli.ts', import.meta.url));

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The one JSON document on stdout; undefined where it is none. */
  readonly json: unknown;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout has this many characters. */
  streamed(characters: number): Promise<void>;
}

/** Starts the command line as a process of its own, with a library in `home`. */
export function start(home: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, LATHE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(() => ({
    code: child.exitCode,
    out,
    err,
    json: parsed(out),
  }));
  return {
    child,
    ended,
    async streamed(characters) {
      while (out.length < characters) await once(child.stdout, 'data');
    },
  };
}

export const lathe = (home: string, ...args: string[]): Promise<Ended> => start(home, args).ended;

/** Ids of the processes that a process has started and that still run. */
export function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
