import type { Job } from '../../../preload/contract/jobs.ts';
import type { Workshop } from '../ownRunner.ts';
import { LiveJob, type JobChanges } from './liveJob.ts';
import { runBench } from './runBench.ts';
import { runCompress } from './runCompress.ts';
import { runEvaluate } from './runEvaluate.ts';

/** A job in the queue, and how it runs: it gives what is to be said of it when it is finished. */
export interface Work {
  readonly live: LiveJob;
  readonly run: () => Promise<JobChanges>;
}

export function workOf(workshop: Workshop, job: Job): Work {
  const store = workshop.core.library.jobs;
  switch (job.kind) {
    case 'compress': {
      const live = new LiveJob(job, store);
      return { live, run: () => runCompress(workshop, live) };
    }
    case 'evaluate': {
      const live = new LiveJob(job, store);
      return { live, run: () => runEvaluate(workshop, live) };
    }
    case 'bench': {
      const live = new LiveJob(job, store);
      return { live, run: () => runBench(workshop, live) };
    }
  }
}
