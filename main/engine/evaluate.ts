import { createHash } from 'node:crypto';
import { LatheError } from '../../preload/contract/errors.ts';
import {
  metrics,
  type EvaluateRequest,
  type EvaluationRecord,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import { checkMetrics, protocolOf, windowFor } from '../evaluation/protocols.ts';
import type { EvaluationKey, NewEvaluation } from '../library/evaluations.ts';
import { hashFile } from '../library/hashes.ts';
import { fingerprintOf, type Manifest } from '../library/manifest.ts';
import type { Core } from './core.ts';
import { dataFile, readData } from './evaluationData.ts';
import { loadRequest } from './generate.ts';
import { refuseTooLarge } from './memory.ts';
import { openModel } from './openModel.ts';
import { inOwnRunner, type Workshop } from './ownRunner.ts';
import type { Evaluated } from './runner/contract.ts';
import { circumstances } from './system.ts';

/** How a measurement is stopped, where it keeps what it has, and whom it tells how far it is. */
export interface EvaluationJob {
  readonly signal: AbortSignal;
  /** A folder of its own. */
  readonly work: string;
  /** What was recorded since then counts also where everything is to be measured again. */
  readonly startedAt: number;
  readonly progress: (fraction: number, detail: string, remainingMs?: number) => void;
  readonly log: (text: string) => void;
}

/** The models of a measurement, verified. */
interface Models {
  readonly model: Manifest;
  readonly base: Manifest | null;
}

/** Likewise, and what they read. */
interface Subjects extends Models {
  readonly file: string;
  readonly dataSha256: string;
}

/** Refuses what cannot be measured: metrics that do not fit together, or data that do not fit them. */
export function checkData(core: Core, request: EvaluateRequest): void {
  checkMetrics(request);
  readData(dataFile(core.resources, request.data), request);
}

/** The models that a request means. Refuses those that do not fit into memory, or together. */
export async function openModels(
  core: Core,
  request: EvaluateRequest,
  signal?: AbortSignal,
): Promise<Models> {
  const model = await openModel(core, request.model, { signal });
  const { against } = request;
  const base = against === undefined ? null : await openModel(core, against, { signal });
  const { memoryLimitBytes } = core.settings();
  const { total } = refuseTooLarge(model, memoryLimitBytes);
  // Both models are in one process, so that their logits meet without being kept.
  if (base !== null) refuseTooLarge(base, memoryLimitBytes - total);
  if (base !== null) refuseOtherTokens(request, model, base);
  return { model, base };
}

/**
 * Measures the quality of a model. What was measured before by the same protocol, on the same data,
 * models and device is not measured again, unless asked for. Results are recorded all at once when
 * the last of them is there: a measurement that fails or is cancelled leaves none.
 */
export async function evaluateModel(
  workshop: Workshop,
  request: EvaluateRequest,
  job: EvaluationJob,
): Promise<EvaluationRecord[]> {
  const { core } = workshop;
  const { evaluations } = core.library;
  const models = await openModels(core, request, job.signal);
  const file = dataFile(core.resources, request.data);
  const dataSha256 = await hashFile(file, { signal: job.signal });
  const subjects: Subjects = { ...models, file, dataSha256 };
  const metricsAsked = [...new Set(request.metrics)];
  const keyOf = keysOf(core, request, subjects);
  const identity = identityOf(subjects);
  const known = metricsAsked.flatMap((metric) => {
    const found = evaluations.find(keyOf(metric), identity);
    if (found === null || (request.again && found.measuredAt < job.startedAt)) return [];
    return [found];
  });
  if (known.length > 0) job.log(`measured before: ${known.map(({ metric }) => metric).join(', ')}`);
  const missing = metricsAsked.filter((metric) => !known.some((one) => one.metric === metric));
  const measured =
    missing.length === 0
      ? []
      : await measure(workshop, { ...request, metrics: missing }, subjects, keyOf, job);
  job.signal.throwIfAborted();
  const now = circumstances(core);
  // What an equal model of another name gave is this one's, too.
  const isOwn = (one: EvaluationRecord): boolean =>
    one.model === identity.model && one.base === identity.base;
  const added: NewEvaluation[] = [
    ...known.filter((one) => !isOwn(one)).map((one) => ({ ...one, ...identity })),
    ...measured.map((one) => ({ ...one, ...identity, data: request.data, dataSha256, ...now })),
  ];
  const records = evaluations.add(added.map((record) => ({ key: keyOf(record.metric), record })));
  if (records.length > 0) core.tell({ kind: 'measurements-changed' });
  const all = [...records, ...known];
  return metricsAsked.flatMap((metric) => all.find((one) => one.metric === metric) ?? []);
}

/** What a record says about the models. */
const identityOf = ({ model, base }: Models) => ({
  model: model.record.name,
  modelSha256: model.record.sha256,
  base: base?.record.name ?? null,
});

async function measure(
  workshop: Workshop,
  request: EvaluateRequest,
  { model, base, file, dataSha256 }: Subjects,
  keyOf: (metric: Metric) => EvaluationKey,
  { signal, work, progress, log }: EvaluationJob,
): Promise<Evaluated> {
  const { core } = workshop;
  const loading = loadRequest(core, model, 'fused');
  const other = base && loadRequest(core, base, 'fused');
  const key = checkpointKey(core, request.metrics.map(keyOf));
  const asked = { base: other, file, dataSha256, request, work, key };
  return inOwnRunner(workshop, model.record.name, signal, async (runner) => {
    for await (const event of runner.stream('loading', (client) => client.load(loading))) {
      if (event.kind === 'progress') progress(0, event.stage);
    }
    let results: Evaluated | null = null;
    for await (const event of runner.stream('evaluating', (client) => client.evaluate(asked))) {
      if (event.kind === 'done') ({ results } = event);
      else if (event.kind === 'progress') progress(event.fraction, event.detail, event.remainingMs);
      else if (event.items > 0) log(`going on behind item ${event.items}`);
    }
    if (results === null) throw new Error('a runner ended a measurement without saying so');
    return results;
  });
}

function keysOf(
  core: Core,
  request: EvaluateRequest,
  { model, base, dataSha256 }: Subjects,
): (metric: Metric) => EvaluationKey {
  const contexts = [model, ...(base ? [base] : [])].map(({ record }) => record.contextLength);
  const windows = windowFor(contexts);
  const { device } = core.settings();
  return (metric) => ({
    metric,
    model: fingerprintOf(model.files),
    base: base === null ? '' : fingerprintOf(base.files),
    protocol: protocolOf(metric, request, windows),
    data: dataSha256,
    device,
  });
}

/** What readings of items depend on: kept ones of another key are of no use. */
function checkpointKey(core: Core, keys: readonly EvaluationKey[]): string {
  const { threads, versions, machine } = circumstances(core);
  const all = JSON.stringify([keys, threads, versions, machine.cpu]);
  return createHash('sha256').update(all).digest('hex');
}

/** Texts are read by both models token by token. Whether that can be shows in the first, but mostly before. */
function refuseOtherTokens(request: EvaluateRequest, model: Manifest, base: Manifest): void {
  const reading = request.metrics.find((metric) => metrics[metric].reads === 'documents');
  const sizes = [model, base].map(({ record }) => record.vocabularySize);
  if (reading === undefined || sizes[0] === sizes[1]) return;
  const both = sizes.join(' and ');
  throw new LatheError(
    'usage',
    `${reading} compares models token by token, and these two do not have the same tokens (measure each alone): vocabularies of ${both}`,
    { value: both, next: ['choose-model'] },
  );
}
