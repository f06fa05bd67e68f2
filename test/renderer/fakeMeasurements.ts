import { implement } from '@orpc/server';
import {
  benchRequestSchema,
  contract,
  LatheError,
  metrics,
  type BenchJob,
  type BenchRecord,
  type Circumstances,
  type EngineEvent,
  type EvaluateJob,
  type EvaluationRecord,
  type Latency,
  type Metric,
  type ModelRecord,
} from '../../preload/contract/index.ts';
import { withSweeps } from './fakeBench.ts';
import { records } from './fakeModels.ts';

/** A pseudo-random number in [0, 1) for an index: the same every time. */
const noise = (index: number): number => {
  const value = Math.sin(index * 12.9898 + 78.233) * 43758.5453;
  return value - Math.floor(value);
};

/** A number for a text, the same every time. */
const seedOf = (text: string): number =>
  new TextEncoder().encode(text).reduce((sum, byte) => (sum * 31 + byte) % 100_003, 7);

/** What a variant costs: nats per token, share of the size, milliseconds per token. */
interface Cost {
  readonly nats: number;
  readonly size: number;
  readonly ms: number;
}

/** Variants of the embedded model, some of them measured in part only. */
const costs: Readonly<Record<string, Cost>> = {
  'int8-weights': { nats: 0.0021, size: 0.28, ms: 3.1 },
  fp16: { nats: 0.0002, size: 0.5, ms: 4.3 },
  'int4-rtn': { nats: 0.062, size: 0.172, ms: 2.2 },
  'int4-gptq': { nats: 0.031, size: 0.172, ms: 2.18 },
  'int4-awq': { nats: 0.036, size: 0.172, ms: 2.26 },
  'int4-hqq': { nats: 0.043, size: 0.176, ms: 2.34 },
  'int4-mixed': { nats: 0.014, size: 0.205, ms: 2.47 },
  'int2-gptq': { nats: 0.38, size: 0.102, ms: 1.92 },
  'heads-25': { nats: 0.11, size: 0.9, ms: 4.1 },
  'wanda-50': { nats: 0.19, size: 1, ms: 4.82 },
  'sparsegpt-50-int4': { nats: 0.13, size: 0.172, ms: 2.21 },
};

const whole: Cost = { nats: 0, size: 1, ms: 4.8 };

/** The cost of any model: that of the table, or one that follows from its name. */
function costOf({ name, parent }: Pick<ModelRecord, 'name' | 'parent'>): Cost {
  if (parent === null) return whole;
  const known = costs[name.slice(name.indexOf('/') + 1)];
  if (known) return known;
  const seed = seedOf(name);
  return {
    nats: 0.3 * noise(seed) ** 3,
    size: 0.1 + 0.8 * noise(seed + 1),
    ms: 2 + 3 * noise(seed + 2),
  };
}

const variantOf = (parent: ModelRecord, recipe: string): ModelRecord => {
  const name = `${parent.name}/${recipe}`;
  return {
    ...parent,
    name,
    parent: parent.name,
    source: 'library',
    bytes: Math.round(parent.bytes * costOf({ name, parent: parent.name }).size),
    precision: /^int\d/.exec(recipe)?.[0] ?? 'float32',
    folder: `/home/ada/.local/share/lathe/models/${name}`,
    sha256: seedOf(name).toString(16).padStart(64, 'a'),
  };
};

const [embedded] = records;

/** The embedded model with a dozen variants. */
export const variants: readonly ModelRecord[] = [
  embedded,
  ...Object.keys(costs).map((recipe) => variantOf(embedded, recipe)),
];

const measuredAt = Date.parse('2026-03-02T09:00:00Z');

export const circumstances: Circumstances = {
  device: 'cpu',
  threads: 4,
  measuredAt,
  versions: { lathe: '0.1.0', node: '24.21.0', onnxruntime: '1.30.0' },
  machine: {
    cpu: 'A processor of some kind at 3.1 GHz',
    cores: 8,
    memoryBytes: 33_500_000_000,
    platform: 'linux-x64',
    release: '6.12.0',
  },
};

/** Value and half the width of its interval. */
function figures(metric: Metric, { nats }: Cost): readonly [value: number, half: number] {
  const loss = 1.36 + nats;
  switch (metric) {
    case 'perplexity':
      return [Math.exp(loss), Math.exp(loss) * 0.021];
    case 'bits-per-byte':
      return [loss * 0.48, 0.012];
    case 'rare-token-loss':
      return [loss * 2.4, 0.11];
    case 'calibration-error':
      return [0.02 + nats / 9, 0.004];
    case 'kl':
      return [nats * 0.93, nats * 0.06];
    case 'top-1':
      return [Math.exp(-1.6 * nats ** 0.75), 0.004 + nats * 0.02];
    case 'delta-perplexity':
      return [Math.exp(loss) - Math.exp(1.36), 0.004 + nats * 0.2];
    case 'first-divergence':
      return [Math.min(64, 3 / (nats + 0.04)), 2.5];
    default:
      return [Math.max(0.02, 0.72 - nats * 0.9), 0.04];
  }
}

/** A measurement of quality as the engine keeps it. */
export function evaluationOf(
  model: ModelRecord,
  metric: Metric,
  part: Partial<EvaluationRecord> = {},
): EvaluationRecord {
  const [value, half] = figures(metric, costOf(model));
  const [baseValue] = figures(metric, whole);
  const { needsBase } = metrics[metric];
  return {
    id: seedOf(`${model.name} ${metric}`),
    metric,
    value,
    ci95: [value - half, value + half],
    n: 200,
    protocol:
      metric === 'bleu' ? 'bleu nrefs:1 tok:13a smooth:exp' : `${metric} window 512 stride 256`,
    details: needsBase ? { tokens: 41_872 } : { tokens: 41_872, bytes: 168_002 },
    against:
      model.parent === null
        ? null
        : {
            value: needsBase ? value : baseValue,
            difference: needsBase ? 0 : value - baseValue,
            ci95: [value - baseValue - half / 2, value - baseValue + half / 2],
            pValue: 0.003,
          },
    model: model.name,
    modelSha256: model.sha256,
    base: model.parent,
    data: 'stories',
    dataSha256: 'da7a'.repeat(16),
    ...circumstances,
    ...part,
  };
}

/** Milliseconds between tokens with the long tail that real ones have. */
export const latencySamples = (count: number, ms: number, seed = 1): number[] =>
  Array.from({ length: count }, (_, index) => {
    const at = noise(index + seed * 1000);
    return ms * (0.94 + 0.1 * noise(index * 3 + seed) + 0.9 * at ** 40);
  });

/** Percentiles of samples, those left out that too few samples carry. */
export function latencyOf(samples: readonly number[]): Latency {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  /** So many percent of the samples lie beside it on either side. */
  const around = (share: number, beside: number): [number, number] => [
    at(share - beside),
    at(share + beside),
  ];
  return {
    samples: samples.length,
    mean,
    p50: at(0.5),
    ci95: {
      p50: around(0.5, 0.05),
      ...(samples.length >= 100 && { p90: around(0.9, 0.03) }),
      ...(samples.length >= 1000 && { p99: around(0.99, 0.005) }),
    },
    ...(samples.length >= 100 && { p90: at(0.9) }),
    ...(samples.length >= 1000 && { p99: at(0.99) }),
    ...(samples.length >= 10_000 && { p999: at(0.999) }),
    tokensPerSecond: 1000 / mean,
  };
}

/** A measurement of speed with its samples, which no list tells. */
export interface FakeBench extends BenchRecord {
  readonly decodeMs: readonly number[];
}

/** A measurement of speed as the engine keeps it. */
export function benchOf(
  model: ModelRecord,
  samples: number,
  part: Partial<FakeBench> = {},
): FakeBench {
  const { ms } = costOf(model);
  const seed = seedOf(model.name);
  const decodeMs = latencySamples(samples, ms, seed);
  const peakRssBytes = 96_000_000 + model.bytes * 1.6;
  return {
    id: seed,
    request: benchRequestSchema.parse({ model: model.name }),
    prefill: latencyOf(latencySamples(5, ms * 7, seed)),
    decode: latencyOf(decodeMs),
    ttft: latencyOf(latencySamples(5, ms * 8, seed + 1)),
    decodeMs,
    peakRssBytes,
    memory: {
      phases: [
        { phase: 'load', startMs: 0, peakBytes: peakRssBytes * 0.8 },
        { phase: 'prefill', startMs: 250, peakBytes: peakRssBytes },
        { phase: 'decode', startMs: 450, peakBytes: peakRssBytes * 0.97 },
      ],
      ms: [0, 200, 400, 600, 800],
      bytes: [0.3, 0.8, 1, 0.97, 0.97].map((share) => share * peakRssBytes),
    },
    cacheBytes: 192 * 5 * 2 * 4 * 16 * 4,
    fileBytes: model.bytes,
    loadMs: 180,
    loads: null,
    joulesPerToken: model.name.endsWith('hqq') ? null : ms * 0.009,
    contexts: [],
    batches: [],
    threadCounts: [],
    operators: null,
    protocol: '5 runs of 128 + 64 tokens behind one to warm up; no outlier was dropped',
    model: model.name,
    modelSha256: model.sha256,
    ...circumstances,
    ...part,
  };
}

export const measuredMetrics = ['perplexity', 'kl', 'top-1', 'minimal-pairs'] as const;

/** What was measured of `variants`: `wanda-50` has no speed yet, `heads-25` no quality. */
export const evaluations: readonly EvaluationRecord[] = variants
  .filter(({ name }) => !name.endsWith('heads-25'))
  .flatMap((model) =>
    measuredMetrics
      .filter((metric) => model.parent !== null || !metrics[metric].needsBase)
      .map((metric) => evaluationOf(model, metric)),
  );

/** Few samples give no 99th percentile: `fp16` and `int4-awq` have none. */
export const benches: readonly FakeBench[] = variants
  .filter(({ name }) => !name.endsWith('wanda-50'))
  .map((model) => benchOf(model, /fp16|awq/.test(model.name) ? 320 : 1600));

/** The embedded model over half a year: with another runtime it became faster, with fewer threads slower. */
export const oldBenches: readonly FakeBench[] = [
  { days: 150, factor: 1.32, onnxruntime: '1.28.0', threads: 4 },
  { days: 120, factor: 1.3, onnxruntime: '1.28.0', threads: 4 },
  { days: 60, factor: 1.01, onnxruntime: '1.30.0', threads: 4 },
  { days: 20, factor: 1.6, onnxruntime: '1.30.0', threads: 2 },
].map(({ days, factor, onnxruntime, threads }, index) => {
  const decodeMs = latencySamples(320, whole.ms * factor, index + 5);
  return benchOf(embedded, 320, {
    id: 900_000 + index,
    measuredAt: measuredAt - days * 86_400_000,
    decodeMs,
    decode: latencyOf(decodeMs),
    threads,
    versions: { ...circumstances.versions, onnxruntime },
  });
});

/** A library with `count` measured variants of ten models, the first with `samples` latencies. */
export function manyVariants(
  count: number,
  samples = 200,
): {
  models: readonly ModelRecord[];
  evaluations: readonly EvaluationRecord[];
  benches: readonly FakeBench[];
} {
  const parents = Array.from({ length: 10 }, (_, index): ModelRecord => ({
    ...embedded,
    name: `model-${index}`,
    source: 'library',
    sha256: seedOf(`model-${index}`).toString(16).padStart(64, 'b'),
  }));
  const models = Array.from({ length: count }, (_, index) => {
    const parent = parents[index % 10] ?? embedded;
    const model = variantOf(parent, `recipe-${index}`);
    return { ...model, sha256: index.toString(16).padStart(64, 'c') };
  });
  return {
    models: [...parents, ...models],
    evaluations: models.flatMap((model, index) =>
      measuredMetrics.map((metric, at) => evaluationOf(model, metric, { id: index * 10 + at })),
    ),
    benches: models.map((model, index) =>
      benchOf(model, index === 0 ? samples : 200, { id: index }),
    ),
  };
}

interface FakeMeasurementsOptions {
  readonly evaluations: readonly EvaluationRecord[];
  readonly benches: readonly FakeBench[];
  readonly find: (name: string) => ModelRecord;
  readonly emit: (event: EngineEvent) => void;
}

const isOf =
  (model: string | undefined) =>
  (record: { readonly model: string }): boolean =>
    model === undefined || record.model === model;

/** Measurements without a model: what is measured follows from the model's name. */
export function fakeMeasurements(options: FakeMeasurementsOptions) {
  const { find, emit } = options;
  const quality = [...options.evaluations];
  const speed = [...options.benches];
  let at = Math.max(measuredAt, ...[...quality, ...speed].map((record) => record.measuredAt));
  let nextId = 1_000_000;
  const fresh = (): { id: number; measuredAt: number } => {
    at += 60_000;
    nextId += 1;
    return { id: nextId, measuredAt: at };
  };
  const os = implement(contract);
  const without = (items: { readonly id: number }[], id: number): void => {
    const index = items.findIndex((item) => item.id === id);
    if (index === -1) throw new LatheError('not_found', `there is no such measurement: ${id}`);
    items.splice(index, 1);
    emit({ kind: 'measurements-changed' });
  };
  return {
    /** What a request gets wrong is said before anything is queued. */
    check(request: EvaluateJob['request']): void {
      find(request.model);
      const lacking = request.metrics.find((metric) => metrics[metric].needsBase);
      if (lacking && request.against === undefined)
        throw new LatheError('usage', `a model to compare with is needed for: ${lacking}`, {
          value: lacking,
        });
    },
    evaluated({ request }: EvaluateJob): EvaluationRecord[] {
      const model = find(request.model);
      const made = request.metrics.map((metric) =>
        evaluationOf(model, metric, {
          ...fresh(),
          data: request.data,
          base: request.against ?? null,
          n: Math.min(200, request.limit ?? 200),
        }),
      );
      quality.push(...made);
      emit({ kind: 'measurements-changed' });
      return made;
    },
    benched({ request }: BenchJob): BenchRecord {
      const samples = request.runs * (request.newTokens - 1);
      const plain = benchOf(find(request.model), samples, { ...fresh(), request });
      const made = { ...plain, ...withSweeps(plain) };
      speed.push(made);
      emit({ kind: 'measurements-changed' });
      return made;
    },
    evaluations: {
      list: os.evaluations.list.handler(({ input }) =>
        quality
          .filter(isOf(input.model))
          .filter(({ metric }) => input.metric === undefined || metric === input.metric)
          .toSorted((a, b) => b.measuredAt - a.measuredAt),
      ),
      remove: os.evaluations.remove.handler(({ input }) => without(quality, input.id)),
    },
    benches: {
      list: os.benches.list.handler(({ input }) =>
        speed.filter(isOf(input.model)).toSorted((a, b) => b.measuredAt - a.measuredAt),
      ),
      samples: os.benches.samples.handler(({ input }) => {
        const found = speed.find(({ id }) => id === input.id);
        if (!found) throw new LatheError('not_found', `there is no such measurement: ${input.id}`);
        return Float64Array.from(found.decodeMs);
      }),
      remove: os.benches.remove.handler(({ input }) => without(speed, input.id)),
    },
  };
}
