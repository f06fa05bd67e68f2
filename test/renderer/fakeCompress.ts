import { implement } from '@orpc/server';
import {
  contract,
  evaluateRequestSchema,
  LatheError,
  metrics,
  needsCalibration,
  recipeSchema,
  type BenchJob,
  type BenchRecord,
  type CompressEstimate,
  type EngineEvent,
  type CompressJob,
  type EvaluateJob,
  type EvaluationRecord,
  type Job,
  type JobEvent,
  type LayerReport,
  type LinearFacts,
  type ModelRecord,
  type PassReport,
  type Recipe,
  type RecipeInput,
  type RecipeRecord,
  type VariantReport,
} from '../../preload/contract/index.ts';
import { matchTargets } from '../../preload/contract/targets.ts';
import { summaryOf } from '../../renderer/state/job.ts';

const shipped: RecipeInput[] = [
  {
    name: 'int4-gptq',
    description: 'Every matrix of the blocks to 4 bit with GPTQ, the embedding to 8.',
    passes: [{ pass: 'quantize-gptq' }, { pass: 'quantize-embedding' }],
  },
  {
    name: 'int4-rtn',
    description: 'Every matrix of the blocks to 4 bit by rounding; needs no data.',
    passes: [{ pass: 'quantize-rtn' }],
  },
  {
    name: 'heads-25',
    description: 'A quarter of the attention heads less.',
    passes: [{ pass: 'prune-heads' }, { pass: 'prune-neurons' }],
  },
];

/** The linear layers of a Llama of 5 blocks, or of 30 for the larger model. */
export function linears({ name, precision, vocabularySize }: ModelRecord): LinearFacts[] {
  const blocks = name.startsWith('SmolLM2') ? 30 : 5;
  const isFloat = precision !== 'int4';
  const facts = (layer: string, block: number | null, rows: number, columns: number) => {
    const bits = isFloat || block === null ? 32 : 4.5;
    const bytes = (rows * columns * bits) / 8;
    return { name: layer, block, rows, columns, isFloat: isFloat || block === null, bits, bytes };
  };
  return [
    ...Array.from({ length: blocks }, (_, block) => [
      facts(`blocks.${block}.attn.qkv`, block, 256, 128),
      facts(`blocks.${block}.attn.o`, block, 128, 128),
      facts(`blocks.${block}.mlp.gate_up`, block, 640, 128),
      facts(`blocks.${block}.mlp.down`, block, 128, 320),
    ]).flat(),
    facts('lm_head', null, vocabularySize, 128),
  ];
}

/** What a pass did to a layer; the same for the same place. */
export function layerReport({ name, rows, columns, bytes }: LinearFacts, at: number): LayerReport {
  const swing = Math.abs(Math.sin(at * 12.9898));
  const errorBefore = 0.06 + 0.08 * swing;
  return {
    layer: name,
    measure: 'output',
    errorBefore,
    errorAfter: errorBefore * (0.55 + 0.3 * Math.abs(Math.sin(at * 3.7))),
    bits: 4.5,
    bytesBefore: bytes,
    bytes: (rows * columns * 4.5) / 8,
    seconds: 0.4 + swing,
    ...(at % 9 === 4 && { note: 'rounding was better and was kept' }),
  };
}

const targetsOf = (model: ModelRecord, step: Recipe['passes'][number]): LinearFacts[] => {
  const all = linears(model);
  if (!('targets' in step)) return all.filter(({ block }) => block !== null);
  const names = new Set(
    matchTargets(
      all.map(({ name }) => name),
      step.targets,
    ),
  );
  const chosen = all.filter(({ name, isFloat }) => names.has(name) && isFloat);
  if (chosen.length > 0) return chosen;
  const value = step.targets.join(', ');
  throw new LatheError('usage', `all of these layers are stored in another form: ${value}`, {
    value,
  });
};

const estimate = (model: ModelRecord, recipe: Recipe): CompressEstimate => {
  let bytes = model.bytes;
  const steps = recipe.passes.map((step) => {
    const saved = targetsOf(model, step).reduce((sum, linear) => sum + linear.bytes * 0.86, 0);
    bytes = Math.max(bytes * 0.14, bytes - saved);
    const seconds = step.pass.includes('gptq') ? 42 : 0.8;
    return { pass: step.pass, bytes, peakBytes: model.bytes * 1.4, seconds };
  });
  const { sequences, length } = recipe.calibration;
  return {
    steps,
    bytesBefore: model.bytes,
    bytes,
    peakBytes: model.bytes * 1.4,
    seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0),
    calibration: recipe.passes.some(needsCalibration)
      ? { sequences, length, tokens: sequences * length, available: 61_240 }
      : null,
  };
};

interface FakeCompressOptions {
  /** Milliseconds between layers; 0 makes jobs end as fast as they are watched. */
  layerMs: number;
  /** Jobs that are there from the beginning. */
  jobs: readonly Job[];
  find: (name: string) => ModelRecord;
  publish: (record: ModelRecord) => void;
  /** Refuses what cannot be measured. */
  check: (request: EvaluateJob['request']) => void;
  /** What jobs that measure find. */
  evaluated: (job: EvaluateJob) => EvaluationRecord[];
  benched: (job: BenchJob) => BenchRecord;
  emit: (event: EngineEvent) => void;
}

const startedAt = Date.parse('2026-03-01T12:00:00Z');

/** What every job has that was just queued. */
const queuedJob = {
  state: 'queued' as const,
  progress: null,
  startedAt: null,
  endedAt: null,
  error: null,
  result: null,
  log: [],
};

/** Recipes, estimates and jobs of every kind without a model. */
export function fakeCompress(options: FakeCompressOptions) {
  const { layerMs, find, publish, check, evaluated, benched, emit } = options;
  const os = implement(contract);
  // Expected failures cross the border as the contract's own errors, as the real router does it.
  const checked = os.use(
    os.$context<object>().middleware(async ({ next, errors }) => {
      try {
        return await next();
      } catch (error) {
        if (error instanceof LatheError)
          throw errors[error.code]({ message: error.message, data: error.data });
        throw error;
      }
    }),
  );
  const own: RecipeRecord[] = [];
  const jobs = new Map<string, Job>(options.jobs.map((job) => [job.id, job]));
  const watchers = new Set<(id: string, event: JobEvent) => void>();
  const running = new Map<string, AbortController>();
  const get = (id: string): Job => {
    const job = jobs.get(id);
    if (job) return job;
    throw new LatheError('not_found', `there is no such job: ${id}`, { value: id });
  };
  const compressJob = (id: string): CompressJob => get(id) as CompressJob;
  const tellJob = (id: string, event: JobEvent): void => {
    for (const watcher of watchers) watcher(id, event);
  };
  const change = (id: string, part: Partial<Job>): Job => {
    const job = { ...get(id), ...part } as Job;
    jobs.set(id, job);
    if (part.state) {
      tellJob(id, { kind: 'job', job });
      emit({ kind: 'jobs-changed' });
    }
    return job;
  };
  const log = (id: string, text: string): void => {
    const entry = { at: startedAt + get(id).log.length * 1000, text };
    change(id, { log: [...get(id).log, entry] });
    tellJob(id, { kind: 'log', entry });
  };
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, layerMs);
    });

  /** Measuring takes four steps, whatever is measured. */
  const measure = async (job: EvaluateJob | BenchJob, signal: AbortSignal): Promise<void> => {
    const { id } = job;
    for (const fraction of [0, 0.25, 0.5, 0.75]) {
      const progress = { fraction, step: null, detail: job.model };
      change(id, { progress });
      tellJob(id, { kind: 'progress', progress });
      // oxlint-disable-next-line no-await-in-loop
      await pause();
      if (signal.aborted) return;
    }
    const result = job.kind === 'evaluate' ? evaluated(job) : benched(job);
    running.delete(id);
    change(id, { state: 'finished', result, endedAt: startedAt + 4000 } as Partial<Job>);
    next();
  };
  const runJob = async (id: string): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const started = change(id, { state: 'running', startedAt });
    if (started.kind !== 'compress') return measure(started, controller.signal);
    const { model: name, recipe, name: variantName } = started;
    const model = find(name);
    const all = recipe.passes.map((step) => targetsOf(model, step));
    const total = all.flat().length;
    let done = 0;
    for (const [step, targets] of all.entries()) {
      const written = recipe.passes[step];
      if (!written) continue;
      log(id, `Pass ${step + 1} of ${all.length}: ${written.pass}`);
      for (const [at, target] of targets.entries()) {
        const progress = {
          fraction: done / total,
          step,
          detail: target.name,
          ...(done > 0 && { remainingMs: (total - done) * layerMs }),
        };
        change(id, { progress });
        tellJob(id, { kind: 'progress', progress });
        // oxlint-disable-next-line no-await-in-loop
        await pause();
        if (controller.signal.aborted) return;
        const report = layerReport(target, at + step * 3);
        change(id, { layers: [...compressJob(id).layers, { step, report }] });
        tellJob(id, { kind: 'layer', step, report });
        done += 1;
      }
      const layers = compressJob(id)
        .layers.filter((layer) => layer.step === step)
        .map(({ report }) => report);
      const report: PassReport = {
        step: written,
        seconds: 12.5,
        bytesBefore: model.bytes,
        bytes: model.bytes * 0.2,
        layers,
        notes: ['4 of 21 layers kept the rounding'],
      };
      change(id, { passes: [...compressJob(id).passes, report] });
      tellJob(id, { kind: 'pass', step, report });
    }
    const { bytes } = estimate(model, recipe);
    const record: ModelRecord = {
      ...model,
      name: variantName,
      parent: model.name,
      bytes: Math.round(bytes),
      precision: 'int4',
      source: 'library',
      folder: `/home/ada/.local/share/lathe/models/${variantName}`,
    };
    publish(record);
    running.delete(id);
    change(id, { state: 'finished', result: record, endedAt: startedAt + 13_000 });
    next();
  };
  /** Jobs run one at a time, in the order in which they came. */
  const next = (): void => {
    if ([...jobs.values()].some(({ state }) => state === 'running')) return;
    const queued = [...jobs.values()].find(({ state }) => state === 'queued');
    if (queued) void runJob(queued.id);
  };
  const addJob = (make: (id: string) => Job): string => {
    const id = `job-${jobs.size + 1}`;
    jobs.set(id, make(id));
    return id;
  };
  const queueMeasure = (
    part: Pick<EvaluateJob, 'kind' | 'request'> | Pick<BenchJob, 'kind' | 'request'>,
  ): string =>
    addJob((id) => ({
      ...queuedJob,
      ...part,
      id,
      model: part.request.model,
      createdAt: startedAt + jobs.size,
    }));
  const queueRecipe = (model: string, name: string, recipe: Recipe): string =>
    addJob((id) => ({
      ...queuedJob,
      id,
      kind: 'compress',
      model,
      recipe,
      name,
      createdAt: startedAt + jobs.size,
      passes: [],
      layers: [],
    }));
  const begin = (ids: string[]): { ids: string[] } => {
    emit({ kind: 'jobs-changed' });
    next();
    return { ids };
  };
  const cancel = (id: string): Job => {
    running.get(id)?.abort();
    running.delete(id);
    const job = change(id, { state: 'cancelled', endedAt: startedAt + 5000 });
    next();
    return job;
  };
  const report = (record: ModelRecord): VariantReport => {
    if (record.parent === null)
      throw new LatheError('not_found', `this model was not made by a recipe: ${record.name}`);
    const job = [...jobs.values()]
      .filter((each) => each.kind === 'compress')
      .find(({ name }) => name === record.name);
    const recipe = job?.recipe ?? recipeSchema.parse(shipped[0]);
    const parent = find(record.parent);
    const step = recipe.passes[0];
    return {
      parent: record.parent,
      parentSha256: parent.sha256,
      recipe,
      passes:
        job?.passes ??
        (step
          ? [
              {
                step,
                seconds: 42.1,
                bytesBefore: parent.bytes,
                bytes: record.bytes,
                layers: linears(parent)
                  .filter(({ block }) => block !== null)
                  .map((linear, at) => layerReport(linear, at)),
                notes: ['4 of 120 layers kept the rounding'],
              },
            ]
          : []),
      seconds: 42.1,
      madeAt: startedAt,
      versions: { lathe: '0.1.0', node: '24.21.0', onnxruntime: '1.30.0' },
    };
  };

  return {
    models: {
      linears: checked.models.linears.handler(({ input }) => linears(find(input.model))),
      report: checked.models.report.handler(({ input }) => report(find(input.model))),
    },
    compress: {
      start: checked.compress.start.handler(({ input }) => {
        const model = find(input.model);
        for (const step of input.recipes.flatMap(({ passes }) => passes)) targetsOf(model, step);
        const ids = input.recipes.map((recipe, at) =>
          queueRecipe(input.model, `${model.name}/${input.names?.[at] ?? recipe.name}`, recipe),
        );
        return begin(ids);
      }),
      estimate: checked.compress.estimate.handler(({ input }) =>
        estimate(find(input.model), input.recipe),
      ),
    },
    startEvaluations: checked.evaluations.start.handler(({ input }) => {
      for (const request of input.requests) check(request);
      return begin(input.requests.map((request) => queueMeasure({ kind: 'evaluate', request })));
    }),
    startBenches: checked.benches.start.handler(({ input }) => {
      for (const { model } of input.requests) find(model);
      return begin(input.requests.map((request) => queueMeasure({ kind: 'bench', request })));
    }),
    sweep: checked.sweep.handler(({ input }) => {
      const model = find(input.model);
      const measureAll = (name: string): string[] => [
        ...input.evaluations.map((part) => {
          const isBase = name === input.model;
          const request = evaluateRequestSchema.parse({
            ...part,
            model: name,
            ...(!isBase && { against: input.model }),
            metrics: part.metrics.filter((metric) => !isBase || !metrics[metric].needsBase),
          });
          return queueMeasure({ kind: 'evaluate', request });
        }),
        ...(input.bench
          ? [queueMeasure({ kind: 'bench', request: { ...input.bench, model: name } })]
          : []),
      ];
      const ids = measureAll(input.model);
      for (const recipe of input.recipes) {
        const name = `${model.name}/${recipe.name}`;
        ids.push(queueRecipe(input.model, name, recipe), ...measureAll(name));
      }
      return begin(ids);
    }),
    jobs: {
      list: checked.jobs.list.handler(() => [...jobs.values()].toReversed().map(summaryOf)),
      get: checked.jobs.get.handler(({ input }) => get(input.id)),
      watch: checked.jobs.watch.handler(async function* ({ input, signal }) {
        const queue: JobEvent[] = [{ kind: 'job', job: get(input.id) }];
        let wake: (() => void) | null = null;
        const watcher = (id: string, event: JobEvent): void => {
          if (id !== input.id) return;
          queue.push(event);
          wake?.();
        };
        watchers.add(watcher);
        try {
          for (;;) {
            if (signal?.aborted) return;
            const event = queue.shift();
            if (event) {
              yield event;
              if (event.kind === 'job' && !['queued', 'running'].includes(event.job.state)) return;
            } else await new Promise<void>((resolve) => (wake = resolve));
          }
        } finally {
          watchers.delete(watcher);
        }
      }),
      cancel: checked.jobs.cancel.handler(({ input }) => cancel(input.id)),
      resume: checked.jobs.resume.handler(({ input }) => {
        const job = change(input.id, {
          state: 'queued',
          error: null,
          endedAt: null,
          ...(get(input.id).kind === 'compress' && { layers: [] }),
        });
        next();
        return job;
      }),
      remove: checked.jobs.remove.handler(({ input }) => {
        if (running.has(input.id)) cancel(input.id);
        jobs.delete(input.id);
        emit({ kind: 'jobs-changed' });
      }),
    },
    recipes: {
      list: checked.recipes.list.handler(() => [
        ...shipped.map((recipe) => ({ recipe: recipeSchema.parse(recipe), builtIn: true })),
        ...own,
      ]),
      save: checked.recipes.save.handler(({ input }) => {
        const record = { recipe: input, builtIn: false };
        const others = own.filter(({ recipe }) => recipe.name !== input.name);
        own.splice(0, own.length, ...others, record);
        return record;
      }),
      remove: checked.recipes.remove.handler(({ input }) => {
        own.splice(0, own.length, ...own.filter(({ recipe }) => recipe.name !== input.name));
      }),
    },
  };
}
