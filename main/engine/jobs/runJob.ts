import { LatheError } from '../../../preload/contract/errors.ts';
import { fingerprintOf, type Manifest } from '../../library/manifest.ts';
import { checkSpace } from '../../library/copy.ts';
import type { StoredJob } from '../../library/jobs.ts';
import { openModel } from '../openModel.ts';
import { inOwnRunner, type Workshop } from '../ownRunner.ts';
import type { LiveJob } from './liveJob.ts';
import { publish } from './publish.ts';

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
  const { threads, device } = core.settings();
  const request = {
    folder: parent.record.folder,
    work: core.library.jobs.folder(job.id),
    resources: core.resources,
    recipe: job.recipe,
    threads,
    device,
  };
  return inOwnRunner({ core, startRunner, limits }, job.name, signal, async (runner) => {
    let folder: string | null = null;
    for await (const event of runner.stream('compressing', (client) => client.compress(request))) {
      if (event.kind === 'done') folder = event.folder;
      else live.hear(event);
    }
    if (folder === null) throw new Error('a runner ended a job without saying so');
    const inspect = (result: string) => runner.ask((client) => client.inspect({ folder: result }));
    return publish(core, { job: live.job, parent, folder, inspect, signal });
  });
}

const changed = ({ record }: Manifest): LatheError =>
  new LatheError(
    'file_changed',
    `${record.name} is not what the job began with, its files have changed since`,
    { file: record.folder },
  );
