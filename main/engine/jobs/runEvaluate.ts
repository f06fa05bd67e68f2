import type { EvaluateJob } from '../../../preload/contract/jobs.ts';
import { evaluateModel } from '../evaluate.ts';
import type { Workshop } from '../ownRunner.ts';
import type { JobChanges, LiveJob } from './liveJob.ts';
import { refuseUnmade } from './unmade.ts';

/** Measures quality; what was read of the data lies in the job's folder until it is finished. */
export async function runEvaluate(
  workshop: Workshop,
  live: LiveJob<EvaluateJob>,
): Promise<JobChanges<EvaluateJob>> {
  const { id, request, startedAt } = live.job;
  refuseUnmade(workshop.core, request.model);
  const result = await evaluateModel(workshop, request, {
    signal: live.stop.signal,
    work: workshop.core.library.jobs.folder(id),
    startedAt: startedAt ?? Date.now(),
    progress: (fraction, detail, remainingMs) =>
      live.progress({
        fraction,
        step: null,
        detail,
        ...(remainingMs === undefined ? {} : { remainingMs }),
      }),
    log: (text) => live.log(text),
  });
  return { result };
}
