import type { BenchJob } from '../../../preload/contract/jobs.ts';
import { benchModel } from '../bench.ts';
import type { Workshop } from '../ownRunner.ts';
import type { JobChanges, LiveJob } from './liveJob.ts';
import { refuseUnmade } from './unmade.ts';

/** Measures speed and memory; a job that broke off begins anew, half a measurement being none. */
export async function runBench(
  workshop: Workshop,
  live: LiveJob<BenchJob>,
): Promise<JobChanges<BenchJob>> {
  const { request } = live.job;
  refuseUnmade(workshop.core, request.model);
  const result = await benchModel(workshop, request, {
    signal: live.stop.signal,
    progress: (fraction, detail) => live.progress({ fraction, step: null, detail }),
    log: (text) => live.log(text),
  });
  return { result };
}
