import type { Job } from '../../../preload/contract/jobs.ts';
import type { Workshop } from '../ownRunner.ts';
import { LiveJob, type JobChanges } from './liveJob.ts';
import { runBench } from './runBench.ts';
import { runCompress } from './runCompress.ts';
import { runEvaluate } from './runEvaluate.ts';
import { refuseUnmade } from './unmade.ts';

/** A job in the queue, and how it runs: it gives what is to be said of it when it is finished. */
export interface Work {
  readonly live: LiveJob;
  readonly run: () => Promise<JobChanges>;
}

export function workOf(workshop: Workshop, job: Job): Work {
  const { core } = workshop;
  const store = core.library.jobs;
  switch (job.kind) {
    case 'compress': {
      const live = new LiveJob(job, store);
      return { live, run: () => runCompress(workshop, live) };
    }
    case 'evaluate': {
      const live = new LiveJob(job, store);
      const run = async (): Promise<JobChanges> => {
        refuseUnmade(core, job.request.model);
        return runEvaluate(workshop, live);
      };
      return { live, run };
    }
    case 'bench': {
      const live = new LiveJob(job, store);
      const run = async (): Promise<JobChanges> => {
        refuseUnmade(core, job.request.model);
        return runBench(workshop, live);
      };
      return { live, run };
    }
  }
}
