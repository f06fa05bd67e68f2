import { errorMessages, LatheError } from '../../../preload/contract/errors.ts';

/** First come, first served: one holder at a time. */
export interface Queue {
  /** How many wait. */
  readonly waiting: number;
  readonly isHeld: boolean;
  /** Resolves with what gives the place to the next. An abort while waiting throws `cancelled`. */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

export function createQueue(): Queue {
  const waiters: (() => void)[] = [];
  let held = false;

  const release = (): void => {
    const next = waiters.shift();
    if (next) next();
    else held = false;
  };
  /** Releasing twice must not let two in. */
  const releaseOnce = (): (() => void) => {
    let done = false;
    return () => {
      if (!done) release();
      done = true;
    };
  };

  return {
    get waiting() {
      return waiters.length;
    },
    get isHeld() {
      return held;
    },
    async acquire(signal) {
      if (signal?.aborted) throw new LatheError('cancelled', errorMessages.cancelled);
      if (held) await waitInLine(waiters, signal);
      held = true;
      return releaseOnce();
    },
  };
}

function waitInLine(waiters: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const admit = (): void => {
      signal?.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      waiters.splice(waiters.indexOf(admit), 1);
      reject(new LatheError('cancelled', errorMessages.cancelled));
    };
    signal?.addEventListener('abort', leave, { once: true });
    waiters.push(admit);
  });
}
