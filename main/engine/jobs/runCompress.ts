import { LatheError } from '../../../preload/contract/errors.ts';
import type { CompressJob, JobLayer } from '../../../preload/contract/jobs.ts';
import type { PassReport } from '../../../preload/contract/recipe.ts';
import { fingerprintOf, type Manifest } from '../../library/manifest.ts';
import { checkSpace } from '../../library/copy.ts';
import { openModel } from '../openModel.ts';
import { inOwnRunner, type Workshop } from '../ownRunner.ts';
import type { CompressTold } from '../runner/contract.ts';
import type { JobChanges, LiveJob } from './liveJob.ts';
import { publish } from './publish.ts';

/**
 * Runs a recipe from where its job stands to the variant, in a process of its own. An aborted job
 * ends its process at once: what it was writing lies in the job's folder and nowhere else.
 */
export async function runCompress(
  workshop: Workshop,
  live: LiveJob<CompressJob>,
): Promise<JobChanges<CompressJob>> {
  const { core } = workshop;
  const { record } = await variantOf(workshop, live);
  live.log(`published as ${record.name}`);
  core.tell({ kind: 'models-changed' });
  return { result: record };
}

async function variantOf(
  { core, startRunner, limits }: Workshop,
  live: LiveJob<CompressJob>,
): Promise<Manifest> {
  const { job, stop } = live;
  const { signal } = stop;
  const there = core.library.models.find(job.name);
  // It ended between taking its name and saying so.
  if (there?.made?.job === job.id) return there;
  const { asked, fingerprint } = core.library.jobs.get(job.id);
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
      else hear(live, event);
    }
    if (folder === null) throw new Error('a runner ended a job without saying so');
    const inspect = (result: string) => runner.ask((client) => client.inspect({ folder: result }));
    return publish(core, { job: live.job, parent, folder, inspect, signal });
  });
}

/** Takes what the runner tells. */
function hear(live: LiveJob<CompressJob>, event: Exclude<CompressTold, { kind: 'done' }>): void {
  switch (event.kind) {
    case 'started': {
      const { passes } = event;
      // Layers of a pass that was not finished come again.
      live.change({ passes, layers: layersOf(passes) });
      if (passes.length > 0) live.log(`going on behind pass ${passes.length}`);
      return;
    }
    case 'progress': {
      const { kind: _, ...progress } = event;
      return live.progress(progress);
    }
    case 'layer': {
      const { step, report } = event;
      return live.note({ layers: [...live.job.layers, { step, report }] }, event);
    }
    case 'pass': {
      const { step, report } = event;
      const passes = [...live.job.passes, report];
      live.note({ passes, layers: layersOf(passes) }, event);
      const { seconds, bytesBefore, bytes, notes } = report;
      const size = `${megabytes(bytesBefore)} → ${megabytes(bytes)}`;
      live.log(`pass ${step + 1}, ${report.step.pass}: ${seconds.toFixed(1)} s, ${size}`);
      for (const note of notes) live.log(note);
    }
  }
}

const layersOf = (passes: readonly PassReport[]): JobLayer[] =>
  passes.flatMap(({ layers }, step) => layers.map((report) => ({ step, report })));

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

const changed = ({ record }: Manifest): LatheError =>
  new LatheError(
    'file_changed',
    `${record.name} is not what the job began with, its files have changed since`,
    { file: record.folder },
  );
