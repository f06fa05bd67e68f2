import type { BenchJob } from '../../../preload/contract/jobs.ts';
import { runBench as bench } from '../bench.ts';
import type { Workshop } from '../ownRunner.ts';
import type { JobChanges, LiveJob } from './liveJob.ts';

/** Measures speed and memory; a job that broke off begins anew, half a measurement being none. */
export async function runBench(
  workshop: Workshop,
  live: LiveJob<BenchJob>,
): Promise<JobChanges<BenchJob>> {
  const result = await bench(workshop, live.job.request, {
    signal: live.stop.signal,
    progress: (fraction, detail) => live.progress({ fraction, step: null, detail }),
    log: (text) => live.log(text),
  });
  return { result };
}
