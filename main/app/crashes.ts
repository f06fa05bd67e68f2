/** After this many crashes … */
const crashLimit = 3;
/** … within this many milliseconds, a process is not started again by itself. */
const crashWindowMs = 5 * 60_000;

/** Counts the crashes of one process and says when starting it again stops making sense. */
export function createCrashTracker(now: () => number = Date.now): {
  /** Notes a crash; false: this was the third in five minutes, leave it stopped. */
  mayRestart(): boolean;
  /** Forgets what was: someone asked to start it again. */
  reset(): void;
} {
  let crashes: number[] = [];
  return {
    mayRestart() {
      const time = now();
      crashes = [...crashes.filter((crash) => time - crash < crashWindowMs), time];
      return crashes.length < crashLimit;
    },
    reset() {
      crashes = [];
    },
  };
}
