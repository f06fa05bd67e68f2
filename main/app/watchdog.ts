const tickMs = 1000;

/** Ticks without a sign of life after which a process counts as hung: 15 s. */
const patience = 15;

/** Waits for signs of life of a process that gives one every second. */
export interface Watchdog {
  /** A sign of life. */
  feed(): void;
  /** The process has ended. */
  stop(): void;
}

/**
 * Calls `onSilent` once when the process gave no sign of life for `patience` ticks. Ticks are
 * counted instead of time: neither process runs while the machine sleeps.
 */
export function createWatchdog(onSilent: () => void): Watchdog {
  let silentTicks = 0;
  const clock = setInterval(() => {
    silentTicks++;
    if (silentTicks < patience) return;
    clearInterval(clock);
    onSilent();
  }, tickMs);
  return {
    feed() {
      silentTicks = 0;
    },
    stop: () => clearInterval(clock),
  };
}
