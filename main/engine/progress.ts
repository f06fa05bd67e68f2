import type { Progress } from '../../preload/contract/models.ts';

/**
 * Work that reports by calling back, as a stream of its reports that ends with its result. Reports
 * come at most every 100 ms, with the time still to go as the speed so far suggests.
 */
export async function* progressOf<T>(
  work: (report: (stage: string, fraction: number) => void) => Promise<T>,
): AsyncGenerator<Progress, T> {
  let latest: Progress | null = null;
  let wake = Promise.withResolvers<void>();
  let start = { stage: '', at: 0 };
  let toldAt = 0;
  let ended = false;

  const report = (stage: string, fraction: number): void => {
    const now = performance.now();
    if (stage !== start.stage) start = { stage, at: now };
    else if (now - toldAt < 100) return;
    toldAt = now;
    const remainingMs = ((now - start.at) * (1 - fraction)) / fraction;
    latest = {
      kind: 'progress',
      stage,
      fraction: Math.min(1, fraction),
      ...(Number.isFinite(remainingMs) && remainingMs > 0 ? { remainingMs } : {}),
    };
    wake.resolve();
  };
  const result = work(report).finally(() => {
    ended = true;
    wake.resolve();
  });
  // The reader may leave before the end; who awaits `result` still hears of a failure.
  result.catch(() => undefined);

  for (;;) {
    await wake.promise;
    wake = Promise.withResolvers();
    if (latest) yield latest;
    latest = null;
    if (ended) return await result;
  }
}
