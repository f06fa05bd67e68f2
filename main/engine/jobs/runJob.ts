import { LatheError } from '../../../preload/contract/errors.ts';
import { fingerprintOf, type Manifest } from '../../library/manifest.ts';
import { checkSpace } from '../../library/copy.ts';
import type { StoredJob } from '../../library/jobs.ts';
import type { Core } from '../core.ts';
import { openModel } from '../openModel.ts';
import type { StartRunner } from '../runner/host.ts';
import type { Limits } from '../runner/limits.ts';
import { watchMemory } from '../runner/residentSet.ts';
import { watchRunner } from '../runner/watched.ts';
import type { LiveJob } from './liveJob.ts';
import { publish } from './publish.ts';

export interface Workshop {
  readonly core: Core;
  readonly startRunner: StartRunner;
  readonly limits: Limits;
}

/**
 * Runs one job from where it stands to the variant, in a process of its own. An aborted job ends
 * its process at once: what it was writing lies in the job's folder and nowhere else.
 */
export async function runJob(
  { core, startRunner, limits }: Workshop,
  live: LiveJob,
  { asked, fingerprint }: StoredJob,
): Promise<Manifest> {
  const { job, stop } = live;
  const { signal } = stop;
  const there = core.library.models.find(job.name);
  // It ended between taking its name and saying so.
  if (there?.made?.job === job.id) return there;
  const parent = await openModel(core, asked, { signal });
  if (fingerprintOf(parent.files) !== fingerprint) throw changed(parent);
  await checkSpace(core.library.home.jobs, parent.record.bytes);
  signal.throwIfAborted();
  const { threads, device, memoryLimitBytes } = core.settings();
  const process = await startRunner();
  const runner = watchRunner(process, job.name, limits);
  const end = (): void => runner.end(new LatheError('cancelled', 'the job was stopped'));
  const forget = watchMemory(process.pid, {
    name: job.name,
    limit: () => memoryLimitBytes,
    pollMs: limits.pollMs,
    end: (reason) => runner.end(reason),
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) end();
    const request = {
      folder: parent.record.folder,
      work: core.library.jobs.folder(job.id),
      resources: core.resources,
      recipe: job.recipe,
      threads,
      device,
    };
    let folder: string | null = null;
    for await (const event of runner.stream('compressing', (client) => client.compress(request))) {
      if (event.kind === 'done') folder = event.folder;
      else live.hear(event);
    }
    if (folder === null) throw new Error('a runner ended a job without saying so');
    const inspect = (result: string) => runner.ask((client) => client.inspect({ folder: result }));
    return await publish(core, { job: live.job, parent, folder, inspect, signal });
  } finally {
    signal.removeEventListener('abort', end);
    forget();
    end();
    // Its files can be deleted only when it does not write them any more.
    await process.exited;
  }
}

const changed = ({ record }: Manifest): LatheError =>
  new LatheError(
    'file_changed',
    `${record.name} is not what the job began with, its files have changed since`,
    { file: record.folder },
  );
