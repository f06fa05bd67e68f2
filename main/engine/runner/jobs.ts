import { LatheError } from '../../../preload/contract/errors.ts';

/** The one job that streams at a time, and how to end it. */
export interface Jobs {
  /** Runs work whose signal `cancel`, or the reader going away, aborts. */
  run<T>(
    reader: AbortSignal | undefined,
    work: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void>;
  /** Aborts the job, if there is one, and resolves when it has ended. */
  cancel(): Promise<void>;
}

export function createJobs(): Jobs {
  let current: { controller: AbortController; ended: Promise<void> } | null = null;
  return {
    async *run(reader, work) {
      if (current) throw new LatheError('internal', 'a runner has one job at a time');
      const controller = new AbortController();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      current = { controller, ended };
      try {
        yield* work(reader ? AbortSignal.any([reader, controller.signal]) : controller.signal);
      } finally {
        current = null;
        resolve();
      }
    },
    async cancel() {
      current?.controller.abort();
      await current?.ended;
    },
  };
}
