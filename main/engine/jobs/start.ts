import { randomUUID } from 'node:crypto';
import type { BenchRequest } from '../../../preload/contract/bench.ts';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { EvaluateRequest } from '../../../preload/contract/evaluation.ts';
import type { CompressJob, CompressRequest } from '../../../preload/contract/jobs.ts';
import type { StoredJob } from '../../library/jobs.ts';
import { fingerprintOf } from '../../library/manifest.ts';
import { checkBench } from '../bench.ts';
import type { Core } from '../core.ts';
import { checkData, openModels } from '../evaluate.ts';
import { openModel } from '../openModel.ts';
import { isOpen } from './liveJob.ts';
import { variantName } from './names.ts';

/** One job per recipe; what is wrong with model or names is said before there is any. */
export async function compressJobs(
  core: Core,
  { model, recipes, names }: CompressRequest,
  signal?: AbortSignal,
): Promise<(StoredJob & { readonly job: CompressJob })[]> {
  if (names !== undefined && names.length !== recipes.length) {
    throw new LatheError('usage', `a name per recipe is wanted: ${names.length}`, {
      value: String(names.length),
    });
  }
  const { record, files } = await openModel(core, model, { signal });
  const waiting = core.library.jobs
    .list()
    .flatMap((job) => (job.kind === 'compress' && isOpen(job.state) ? [job.name] : []));
  const taken = new Set(waiting);
  const isTaken = (name: string): boolean => taken.has(name) || core.library.models.isTaken(name);
  const asked = record.source === 'folder' ? record.folder : record.name;
  const fingerprint = fingerprintOf(files);
  return recipes.map((recipe, at) => {
    const choice = { asked: names?.[at], recipe: recipe.name };
    const name = variantName(record.name, choice, isTaken);
    taken.add(name);
    const job: CompressJob = {
      ...begin(record.name),
      kind: 'compress',
      recipe,
      name,
      result: null,
      passes: [],
      layers: [],
    };
    return { job, asked, fingerprint };
  });
}

/** One job per request, each checked before there is any. */
export async function evaluateJobs(
  core: Core,
  requests: readonly EvaluateRequest[],
  signal?: AbortSignal,
): Promise<StoredJob[]> {
  const made: StoredJob[] = [];
  const checked = new Set<string>();
  for (const request of requests) {
    const { metrics, data, fields, against } = request;
    // Many variants are measured on the same data.
    const reading = JSON.stringify([metrics, data, fields, against === undefined]);
    if (!checked.has(reading)) checkData(core, request);
    checked.add(reading);
    const { model } = await openModels(core, request, signal);
    made.push(evaluateJob(model.record.name, request));
  }
  return made;
}

/** One job per request, each checked before there is any. */
export async function benchJobs(
  core: Core,
  requests: readonly BenchRequest[],
  signal?: AbortSignal,
): Promise<StoredJob[]> {
  const made: StoredJob[] = [];
  for (const request of requests) {
    const { record } = await checkBench(core, request, signal);
    made.push(benchJob(record.name, request));
  }
  return made;
}

/** What a model is when it is measured decides, not what it was when that was asked for. */
export const evaluateJob = (model: string, request: EvaluateRequest): StoredJob => ({
  job: { ...begin(model), kind: 'evaluate', request, result: null },
  asked: request.model,
  fingerprint: '',
});

export const benchJob = (model: string, request: BenchRequest): StoredJob => ({
  job: { ...begin(model), kind: 'bench', request, result: null },
  asked: request.model,
  fingerprint: '',
});

/** What every job begins with. */
const begin = (model: string) => ({
  id: randomUUID(),
  model,
  state: 'queued' as const,
  progress: null,
  createdAt: Date.now(),
  startedAt: null,
  endedAt: null,
  error: null,
  log: [],
});
