import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { errorMessages, LatheError } from '../../../preload/contract/errors.ts';
import { cloneTypedArrays } from '../../../preload/contract/transfer.ts';
import { fromOrpc } from '../errors.ts';
import type { RunnerClient } from './contract.ts';
import type { Exit, RunnerProcess } from './host.ts';
import type { Limits } from './limits.ts';

/** What a job is doing, which decides how long it may be silent. */
export type Phase = 'loading' | 'running' | 'compressing' | 'evaluating' | 'measuring';

/**
 * One runner and the watch over it: every wait ends when the process ends, when it is silent for
 * longer than the phase allows, or soon after a cancel, whatever the process does.
 */
export interface WatchedRunner {
  readonly pid: number;
  /** Resolves with the reason once the process has ended or was given up. */
  readonly dead: Promise<LatheError>;
  /** One answer. */
  ask: <T>(call: (client: RunnerClient) => Promise<T>, signal?: AbortSignal) => Promise<T>;
  /** A job's events. After an abort the job may still end by itself, within the limit. */
  stream: <T>(
    phase: Phase,
    call: (client: RunnerClient) => Promise<AsyncIterator<T>>,
    signal?: AbortSignal,
  ) => AsyncGenerator<T, void>;
  /** Ends the process; everybody who waits for it gets the reason. */
  end(reason: LatheError): void;
}

export function watchRunner(process: RunnerProcess, model: string, limits: Limits): WatchedRunner {
  const link = new RPCLink({ port: process.port, experimental_transfer: cloneTypedArrays });
  const client: RunnerClient = createORPCClient(link);
  const { promise: dead, resolve: die } = Promise.withResolvers<LatheError>();
  /** Who waits now. (Racing every answer against `dead` would leave a trace of each on it.) */
  const waiting = new Set<(reason: LatheError) => void>();
  let diedOf: LatheError | null = null;
  let jobs = 0;

  const died = (reason: LatheError): void => {
    if (diedOf) return;
    diedOf = reason;
    die(reason);
    for (const reject of waiting) reject(reason);
  };
  const end = (reason: LatheError): void => {
    died(reason);
    process.kill();
  };
  void process.exited.then((exit) => died(crashed(model, exit)));

  /** The answer, or the end of the process; `silent` is called after `limitMs` without one. */
  const within = async <T>(answer: Promise<T>, limitMs: number, silent: () => void): Promise<T> => {
    const { promise: first, resolve, reject } = Promise.withResolvers<T>();
    answer.then(resolve, reject);
    if (diedOf) reject(diedOf);
    waiting.add(reject);
    const timer = setTimeout(silent, limitMs);
    try {
      return await first;
    } catch (error) {
      if (error instanceof LatheError) throw error;
      // The channel breaks a moment before the end of the process is known: the latter says why.
      const reason = error instanceof ORPCError ? null : await soon(dead);
      throw reason ?? fromOrpc(error);
    } finally {
      clearTimeout(timer);
      waiting.delete(reject);
    }
  };

  const hung = (phase: string, limitMs: number) => (): void =>
    end(
      new LatheError(
        'runner_hung',
        `the process that runs ${model} gave no sign of life for ${limitMs / 1000} s while ${phase}`,
        { value: `${limitMs} ms`, next: ['retry', 'choose-model'] },
      ),
    );

  const tooLate = (): void => end(new LatheError('cancelled', errorMessages.cancelled));
  /** Ends the job. How that went, the job's own end tells. */
  const cancel = (): Promise<void> =>
    within(client.cancel(), limits.cancelMs, tooLate).catch(() => undefined);

  return {
    pid: process.pid,
    dead,
    end,

    ask(call, signal) {
      const answer = signal ? untilAborted(call(client), signal) : call(client);
      // While a job runs, its own watch notices a hang, and a long step is none.
      const silent = (): void => (jobs === 0 ? hung('reading', limits.loadingMs)() : undefined);
      return within(answer, limits.loadingMs, silent);
    },

    async *stream(phase, call, signal) {
      const limitMs = limits[`${phase}Ms`];
      const silent = hung(phase, limitMs);
      let events: AsyncIterator<unknown, unknown> | undefined;
      let ended = false;
      jobs++;
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        const started = await within(call(client), limitMs, silent);
        events = started;
        if (signal?.aborted) void cancel();
        for (;;) {
          const next = await within(started.next(), limitMs, silent);
          if (next.done) break;
          yield next.value;
        }
        ended = true;
      } catch (error) {
        ended = true;
        throw error;
      } finally {
        signal?.removeEventListener('abort', cancel);
        if (!ended) {
          // Whoever stopped reading early does not want the rest computed, nor kept.
          await cancel();
          void events?.return?.().catch(() => undefined);
        }
        jobs--;
      }
    },
  };
}

function crashed(model: string, { code, signal }: Exit): LatheError {
  const how = signal === null ? `exit code ${code}` : signal;
  return new LatheError('runner_crashed', `the process that ran ${model} ended: ${how}`, {
    value: how,
    next: ['retry'],
  });
}

/** How long the news of a process's end may lag behind the break of its channel. */
const graceMs = 250;

async function soon(dead: Promise<LatheError>): Promise<LatheError | null> {
  const { promise, resolve } = Promise.withResolvers<LatheError | null>();
  const timer = setTimeout(() => resolve(null), graceMs);
  void dead.then(resolve);
  const reason = await promise;
  clearTimeout(timer);
  return reason;
}

function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new LatheError('cancelled', errorMessages.cancelled));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
