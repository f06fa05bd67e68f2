import { LatheError } from '../../preload/contract/errors.ts';
import type { EngineClient } from '../../preload/contract/index.ts';
import type { Job, JobProgress, JobSummary } from '../../preload/contract/jobs.ts';
import { note, noteProgress } from './output.ts';

/**
 * Follows a job to its end, whatever that is: progress and remarks go to stderr; Ctrl-C cancels it
 * and leaves nothing of it.
 */
export async function follow(client: EngineClient, id: string, signal: AbortSignal): Promise<Job> {
  const cancel = (): void => void client.jobs.cancel({ id }).catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await watch(client, id);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** A job of the same work that broke off goes on where it was; null where there is none. */
export async function resumed(
  client: EngineClient,
  isSame: (job: JobSummary) => boolean,
): Promise<string | null> {
  const jobs = await client.jobs.list();
  const job = jobs.find((one) => one.state === 'interrupted' && isSame(one));
  if (job === undefined) return null;
  note(`resuming ${titleOf(job)}, which was interrupted`);
  await client.jobs.resume({ id: job.id });
  return job.id;
}

/** Why a job has no result, as an error. */
export function failureOf(job: Job): LatheError {
  const title = titleOf(job);
  const { state, error } = job;
  if (state === 'cancelled') return new LatheError('cancelled', `cancelled: ${title}`);
  if (error === null) return new LatheError('engine_lost', `the job ended as ${state}: ${title}`);
  return new LatheError(error.code, error.message, error.data);
}

/** Likewise, for a command that goes on with what it finds interrupted: says so. */
export function endedEarly(job: Job): LatheError {
  if (job.state === 'interrupted') note('The same command goes on where this one ended.');
  return failureOf(job);
}

function titleOf(job: JobSummary): string {
  switch (job.kind) {
    case 'compress':
      return job.name;
    case 'evaluate':
      return `${job.request.metrics.join(', ')} of ${job.model}`;
    case 'bench':
      return `the speed of ${job.model}`;
  }
}

/** Progress on stderr, at most so often unless another pass begins. */
const noteMs = 500;

async function watch(client: EngineClient, id: string): Promise<Job> {
  let last: Job | null = null;
  let notedAt = -noteMs;
  let step: JobProgress['step'] = null;
  let logged = 0;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') {
      last = event.job;
      // What an earlier run said, before it broke off, is no news.
      const news = last.log.slice(logged).filter(({ at }) => at >= performance.timeOrigin);
      for (const { text } of news) note(text);
      logged = last.log.length;
    }
    if (event.kind === 'log') {
      note(event.entry.text);
      logged++;
    }
    if (event.kind !== 'progress') continue;
    const { detail, fraction, remainingMs } = event.progress;
    const now = performance.now();
    if (now - notedAt < noteMs && step === event.progress.step) continue;
    notedAt = now;
    step = event.progress.step;
    noteProgress({
      kind: 'progress',
      stage: detail,
      fraction,
      ...(remainingMs === undefined ? {} : { remainingMs }),
    });
  }
  if (last === null) throw new Error('a job was watched and said nothing');
  return last;
}
