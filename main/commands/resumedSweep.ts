import type { EngineClient } from '../../preload/contract/index.ts';
import type { JobSummary, SweepRequest } from '../../preload/contract/jobs.ts';
import { nameOf } from './model.ts';
import { note } from './output.ts';

/**
 * A sweep of the same work that broke off goes on where it was: what is interrupted is queued again,
 * in its order. Gives all of its jobs; null where there is none.
 */
export async function resumedSweep(
  client: EngineClient,
  request: SweepRequest,
): Promise<string[] | null> {
  const jobs = (await client.jobs.list()).toReversed();
  const interrupted = jobs.filter(({ state }) => state === 'interrupted');
  const name = await nameOf(request.model, client);
  const wanted = JSON.stringify([name, request.recipes, request.evaluations, request.bench]);
  for (const sweep of new Set(interrupted.map((job) => job.sweep))) {
    const own = jobs.filter((job) => job.sweep === sweep);
    if (sweep === undefined || workOf(own) !== wanted) continue;
    const left = interrupted.filter((job) => job.sweep === sweep);
    note(`resuming the sweep: ${left.length} of ${own.length} jobs were interrupted`);
    for (const { id } of left) await client.jobs.resume({ id });
    return own.map(({ id }) => id);
  }
  return null;
}

/** What a sweep was asked for, as its jobs say it: each variant is measured in the same ways. */
function workOf(jobs: readonly JobSummary[]): string {
  const making = jobs.flatMap((job) => (job.kind === 'compress' ? [job] : []));
  const first = making.at(0);
  if (first === undefined) return '';
  const ofFirst = jobs.filter(({ model }) => model === first.name);
  const evaluations = ofFirst.flatMap((job) => {
    if (job.kind !== 'evaluate') return [];
    const { model: _, against: _base, ...evaluation } = job.request;
    return [evaluation];
  });
  const benches = ofFirst.flatMap((job) => {
    if (job.kind !== 'bench') return [];
    const { model: _, ...bench } = job.request;
    return [bench];
  });
  const recipes = making.map(({ recipe }) => recipe);
  return JSON.stringify([first.model, recipes, evaluations, benches[0] ?? null]);
}
