import { randomUUID } from 'node:crypto';
import { metrics as facts } from '../../preload/contract/evaluation.ts';
import type { SweepRequest } from '../../preload/contract/jobs.ts';
import type { StoredJob } from '../library/jobs.ts';
import { checkBench } from './bench.ts';
import type { Core } from './core.ts';
import { checkData, openModels } from './evaluate.ts';
import { benchJob, compressJobs, evaluateJob } from './jobs/start.ts';
import { openModel } from './openModel.ts';

/**
 * The jobs of a sweep in the order they run: the model is measured, then each variant is made and
 * measured against it. What is wrong with model, recipes or data is said before there is any; jobs
 * that measure a variant which was not made fail and hold nothing else up.
 */
export async function sweepJobs(
  core: Core,
  { model, recipes, evaluations, bench }: SweepRequest,
  signal?: AbortSignal,
): Promise<StoredJob[]> {
  const { record } = await openModel(core, model, { signal });
  const base = record.source === 'folder' ? record.folder : record.name;
  for (const each of evaluations) checkData(core, { ...each, model: base, against: base });
  const alone = evaluations.flatMap((each) => {
    const metrics = each.metrics.filter((metric) => !facts[metric].needsBase);
    return metrics.length === 0 ? [] : [{ ...each, metrics, model: base }];
  });
  for (const request of alone) await openModels(core, request, signal);
  if (bench !== null) await checkBench(core, { ...bench, model: base }, signal);
  const timed = (name: string, asked: string): StoredJob[] =>
    bench === null ? [] : [benchJob(name, { ...bench, model: asked })];
  const variants = await compressJobs(core, { model, recipes }, signal);
  const sweep = randomUUID();
  const jobs = [
    ...alone.map((request) => evaluateJob(record.name, request)),
    ...timed(record.name, base),
    ...variants.flatMap((making) => {
      const { name } = making.job;
      const compared = evaluations.map((each) => ({ ...each, model: name, against: base }));
      return [
        making,
        ...compared.map((request) => evaluateJob(name, request)),
        ...timed(name, name),
      ];
    }),
  ];
  return jobs.map((stored) => ({ ...stored, job: { ...stored.job, sweep } }));
}
