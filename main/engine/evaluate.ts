import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import type {
  EvaluateEvent,
  EvaluateRequest,
  EvaluationRecord,
  Metric,
} from '../../preload/contract/evaluation.ts';
import { formatOf, protocolOf, windowFor } from '../evaluation/protocols.ts';
import type { EvaluationKey } from '../library/evaluations.ts';
import { hashFile } from '../library/hashes.ts';
import { fingerprintOf, type Manifest } from '../library/manifest.ts';
import { refOf, type Core } from './core.ts';
import { load, loadRequest } from './generate.ts';
import { refuseTooLarge } from './memory.ts';
import { opening } from './openModel.ts';
import type { Evaluated } from './runner/contract.ts';
import type { Job } from './runner/supervisor.ts';
import { systemInfo } from './system.ts';

/**
 * Measures the quality of a model. What was measured before by the same protocol, on the same data,
 * models and device is not measured again, unless asked for. Results are recorded all at once when
 * the last of them is there: a measurement that fails or is cancelled leaves none.
 */
export async function* evaluate(
  core: Core,
  request: EvaluateRequest,
  signal?: AbortSignal,
): AsyncGenerator<EvaluateEvent> {
  formatOf(request);
  const { evaluations } = core.library;
  const file = dataFile(core.resources, request.data);
  const model = yield* opening(core, request.model, signal);
  const base = request.against === undefined ? null : yield* opening(core, request.against, signal);
  const dataSha256 = await hashFile(file, { signal });
  const names = [...new Set(request.metrics)];
  const windows = windowFor(
    [model, ...(base ? [base] : [])].map(({ record }) => record.contextLength),
  );
  const keyOf = (metric: Metric): EvaluationKey => ({
    metric,
    model: fingerprintOf(model.files),
    base: base === null ? '' : fingerprintOf(base.files),
    protocol: protocolOf(metric, request, windows),
    data: dataSha256,
    device: core.settings().device,
  });
  const found = names.map((metric) => (request.again ? null : evaluations.find(keyOf(metric))));
  const known = names.filter((_, at) => found[at] !== null);
  const missing = names.filter((_, at) => found[at] === null);
  const measured =
    missing.length === 0
      ? []
      : yield* measure(core, { ...request, metrics: missing }, { model, base, file }, signal);
  const recordOf = describe(core, request, { model, base, dataSha256 });
  const records = new Map(measured.map((result) => [result.metric, recordOf(result)]));
  evaluations.add([...records.values()].map((record) => ({ key: keyOf(record.metric), record })));
  yield {
    kind: 'done',
    results: names.flatMap((metric, at) => found[at] ?? records.get(metric) ?? []),
    known,
  };
}

/** A set that ships with Lathe, by its name, else an absolute path. */
function dataFile(resources: string, data: string): string {
  if (/^[a-z0-9-]+$/.test(data)) {
    const paths = ['txt', 'json', 'jsonl', 'tsv'].map((ending) =>
      join(resources, 'evaluation', `${data}.${ending}`),
    );
    const shipped = paths.find((path) => existsSync(path));
    if (shipped !== undefined) return shipped;
  }
  if (isAbsolute(data) && existsSync(data)) return data;
  throw new LatheError('file_missing', `there is no data set and no file of this name: ${data}`, {
    file: data,
    value: data,
  });
}

interface Subjects {
  readonly model: Manifest;
  readonly base: Manifest | null;
  readonly file: string;
}

async function* measure(
  core: Core,
  request: EvaluateRequest,
  { model, base, file }: Subjects,
  signal: AbortSignal | undefined,
): AsyncGenerator<EvaluateEvent, Evaluated['results']> {
  if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
  let results: Evaluated['results'] = [];
  const work = async function* (job: Job): AsyncGenerator<EvaluateEvent> {
    yield* load(core, job, model, 'fused', signal);
    if (base !== null) makeRoomBeside(core, job, model, base);
    const asked = { base: base && loadRequest(core, base, 'fused'), file, request };
    const events = job.stream('running', (client) => client.evaluate(asked), signal);
    for await (const event of events) {
      if (event.kind === 'progress') yield event;
      else ({ results } = event);
    }
  };
  yield* core.supervisor.run(refOf(model), work, signal);
  return results;
}

/** Both models are in one process, so that their logits meet without being kept. */
function makeRoomBeside(core: Core, job: Job, model: Manifest, base: Manifest): void {
  const { memoryLimitBytes } = core.settings();
  const { total } = refuseTooLarge(model, memoryLimitBytes);
  job.makeRoom(refuseTooLarge(base, memoryLimitBytes - total).total);
}

/** A result as it is kept: with what it was measured on and with. */
function describe(
  core: Core,
  { data }: EvaluateRequest,
  of: { model: Manifest; base: Manifest | null; dataSha256: string },
): (result: Evaluated['results'][number]) => EvaluationRecord {
  const { version, node, onnxruntime, threads, device } = systemInfo(core);
  return (result) => ({
    ...result,
    model: of.model.record.name,
    modelSha256: of.model.record.sha256,
    base: of.base?.record.name ?? null,
    data,
    dataSha256: of.dataSha256,
    device,
    threads,
    measuredAt: Date.now(),
    versions: { lathe: version, node, onnxruntime },
  });
}
