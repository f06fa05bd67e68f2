import { LatheError, type Progress } from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

/** Something that the engine works out on request. */
export type Work<Result> =
  | { readonly kind: 'idle' }
  | { readonly kind: 'working'; readonly progress: Progress | null }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly result: Result };

export const idle = { kind: 'idle' } as const;

/**
 * Work of one kind: beginning anew ends what runs, and what that still tells nobody hears. A stream
 * of events ends with `done`, or it was broken off.
 */
export interface Worker {
  start<Event extends { readonly kind: string }>(
    open: (signal: AbortSignal) => Promise<AsyncIterable<Event>>,
    tell: (event: Event) => void,
    fail: (failure: Failure) => void,
  ): Promise<void>;
  cancel(): void;
}

export function createWorker(): Worker {
  let running: AbortController | null = null;
  return {
    async start(open, tell, fail) {
      running?.abort();
      const controller = new AbortController();
      running = controller;
      try {
        for await (const event of await open(controller.signal)) {
          if (running !== controller) return;
          tell(event);
          if (event.kind === 'done') return;
        }
        throw new LatheError('engine_lost', 'The stream ended before the work did', {
          next: ['retry'],
        });
      } catch (error) {
        if (running === controller) fail(toFailure(error));
      }
    },
    cancel() {
      running?.abort();
      running = null;
    },
  };
}
