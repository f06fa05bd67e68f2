import { Worker } from 'node:worker_threads';

/** How often the watch looks for the parent, in milliseconds. */
const lookMs = 500;

/**
 * Ends this process soon after its parent has ended, whatever the main thread is doing: a native
 * call that never returns would keep it from noticing that its channel is closed. The watch is
 * text, so that it needs no file of its own in a bundle.
 */
export function dieWithParent(): void {
  const watch = `
    const parent = process.ppid;
    setInterval(() => {
      try {
        if (process.ppid === parent && process.kill(parent, 0)) return;
      } catch {}
      process.kill(process.pid, 'SIGKILL');
    }, ${lookMs});`;
  const worker = new Worker(watch, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
  });
  worker.unref();
}
