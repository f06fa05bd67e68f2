import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { chromiumPath } from '../setup/chromium.ts';

type Params = Record<string, unknown>;
type EventListener = (method: string, params: Params) => void;

interface Answer {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: Params;
  result?: unknown;
  error?: { message: string };
}

/** One Chromium and its DevTools protocol over a pipe. */
export interface Chromium {
  /** Sends a command; without a session it goes to the browser itself. */
  send<T = unknown>(method: string, params?: object, sessionId?: string): Promise<T>;
  /** Hears the events of one session, or of the browser for ''. */
  listen(sessionId: string, listener: EventListener): void;
  kill(): void;
}

const quietSwitches = [
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
];

/** Starts a Chromium with a profile of its own and no window. */
export function launchChromium(switches: readonly string[]): Chromium {
  const profile = mkdtempSync(join(tmpdir(), 'electron-stand-in-'));
  const child = spawn(
    chromiumPath(),
    [
      ...quietSwitches,
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...switches,
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
      '--no-startup-window',
    ],
    // A group of its own: its helpers must not outlive it and write into the profile again.
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], detached: true },
  );
  // Playwright reads where to connect from stderr; the rest is Chromium missing a desktop.
  createInterface(child.stderr as Readable).on('line', (line) => {
    if (line.startsWith('DevTools listening on ')) process.stderr.write(`${line}\n`);
  });
  return {
    ...connect(child),
    kill() {
      const running = child.exitCode === null && child.signalCode === null;
      if (child.pid !== undefined && running) process.kill(-child.pid, 'SIGKILL');
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    },
  };
}

function connect(child: ChildProcess): Pick<Chromium, 'send' | 'listen'> {
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  const listeners = new Map<string, EventListener>();
  const commands = child.stdio[3] as Writable;
  // A command to a browser that has just gone has nobody to answer it.
  commands.on('error', () => undefined);
  let count = 0;

  readMessages(child.stdio[4] as Readable, (text) => {
    const answer = JSON.parse(text) as Answer;
    if (answer.id === undefined) {
      listeners.get(answer.sessionId ?? '')?.(answer.method ?? '', answer.params ?? {});
      return;
    }
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error) caller?.reject(new Error(answer.error.message));
    else caller?.resolve(answer.result as never);
  });

  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        count += 1;
        waiting.set(count, { resolve, reject });
        commands.write(`${JSON.stringify({ id: count, method, params, sessionId })}\0`);
      }),
    listen: (sessionId, listener) => void listeners.set(sessionId, listener),
  };
}

/** Splits a stream at zero bytes, looking at each byte once: messages may be megabytes long. */
function readMessages(stream: Readable, onMessage: (text: string) => void): void {
  let parts: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, start)) {
      onMessage(Buffer.concat([...parts, chunk.subarray(start, end)]).toString());
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  });
}
