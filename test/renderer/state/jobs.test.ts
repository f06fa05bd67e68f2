import { describe, expect, it, vi } from 'vitest';
import {
  recipeSchema,
  type CompressJob,
  type Job,
  type JobSummary,
  type LinearFacts,
} from '../../../preload/contract/index.ts';
import {
  applyJobEvent,
  compare,
  isCompress,
  layersOf,
  queueProgress,
} from '../../../renderer/state/job.ts';
import { createJobs, visibleJobs } from '../../../renderer/state/jobs.ts';
import { noMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { linears, layerReport } from '../fakeCompress.ts';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';
import { interruptedJob } from '../fakeJobs.ts';

const host = {
  mac: false,
  chooseFolder: null,
  openExternal: () => {},
  copy: () => Promise.resolve(),
};

async function open(options: FakeOptions = {}) {
  const engine = createFakeEngine(options);
  const studio = createStudio(engine, { host, memory: noMemory, frame: (then) => then() });
  await vi.waitFor(() => expect(studio.recipe.store.getState().model).toBe('tiny-stories'));
  return { engine, studio };
}

const states = (jobs: readonly JobSummary[] | null) =>
  jobs?.filter(isCompress).map(({ name, state }) => `${name} ${state}`);

/** The job, which must be one that makes a variant. */
function compressOf(job: Job | undefined): CompressJob {
  if (job?.kind !== 'compress') throw new Error('no job that compresses');
  return job;
}

const [firstLinear] = linears(records[0]) as [LinearFacts];

const at = (state: JobSummary['state'], fraction: number): JobSummary => ({
  ...interruptedJob,
  state,
  progress: { fraction, step: 0, detail: '' },
});

describe('jobs', () => {
  it('run a recipe to a variant that the library lists, and tell every layer', async () => {
    const { studio } = await open();
    await studio.runRecipe();
    const { jobs, models } = studio;
    await vi.waitFor(() =>
      expect(states(jobs.store.getState().jobs)).toEqual(['tiny-stories/int4-rtn finished']),
    );
    const { selected, details } = jobs.store.getState();
    const job = compressOf(details[selected ?? '']);
    expect(layersOf(job, 0).map(({ layer }) => layer)).toEqual(
      linears(records[0])
        .map(({ name }) => name)
        .filter((name) => name !== 'lm_head'),
    );
    expect(job.log.map(({ text }) => text)).toEqual(['Pass 1 of 1: quantize-rtn']);
    await vi.waitFor(() =>
      expect(models.store.getState().models).toContainEqual(
        expect.objectContaining({ name: 'tiny-stories/int4-rtn', parent: 'tiny-stories' }),
      ),
    );
    studio.close();
  });

  it('queue a sweep and count it as a whole', async () => {
    const { studio } = await open();
    studio.recipe.setAxes([{ step: 0, key: 'bits', values: [2, 4, 8] }]);
    await studio.runRecipe();
    await vi.waitFor(() =>
      expect(states(studio.jobs.store.getState().jobs)).toEqual([
        'tiny-stories/int4-rtn-bits8 finished',
        'tiny-stories/int4-rtn-bits4 finished',
        'tiny-stories/int4-rtn-bits2 finished',
      ]),
    );
    expect(studio.jobs.store.getState().batch).toHaveLength(3);
    studio.close();
  });

  it('are cancelled', async () => {
    const { studio } = await open({ layerMs: 20 });
    await studio.runRecipe();
    const { jobs } = studio;
    await vi.waitFor(() => expect(jobs.store.getState().jobs?.[0]?.progress?.step).toBe(0));
    await jobs.cancel(jobs.store.getState().selected ?? '');
    await vi.waitFor(() =>
      expect(states(jobs.store.getState().jobs)).toEqual(['tiny-stories/int4-rtn cancelled']),
    );
    expect(studio.models.store.getState().models?.map(({ name }) => name)).not.toContain(
      'tiny-stories/int4-rtn',
    );
    studio.close();
  });

  it('that were interrupted are listed after a restart with what they had, and go on', async () => {
    const { studio, engine } = await open({ jobs: [interruptedJob] });
    engine.setConnection({ kind: 'lost', attempt: 1 });
    engine.setConnection({ kind: 'ready' });
    const { jobs } = studio;
    await vi.waitFor(() =>
      expect(compressOf(jobs.store.getState().details['job-0']).layers).toHaveLength(9),
    );
    await jobs.resume('job-0');
    await vi.waitFor(() =>
      expect(states(jobs.store.getState().jobs)).toEqual(['tiny-stories/int4-gptq finished']),
    );
    studio.close();
  });

  it('say why a recipe was refused, and queue nothing', async () => {
    const jobs = createJobs(createFakeEngine().client);
    const recipe = recipeSchema.parse({
      name: 'x',
      passes: [{ pass: 'quantize-rtn', targets: ['block.*'] }],
    });
    await jobs.start('tiny-stories', [recipe]);
    expect(jobs.store.getState()).toMatchObject({
      failure: { code: 'usage', message: expect.stringContaining('no layer has such a name') },
    });
    await jobs.load();
    expect(jobs.store.getState().jobs).toEqual([]);
  });

  it('are removed for good only once the offer to undo has passed', async () => {
    const jobs = createJobs(createFakeEngine({ jobs: [interruptedJob] }).client);
    await jobs.load();
    jobs.remove('job-0');
    expect(visibleJobs(jobs.store.getState())).toEqual([]);
    jobs.undo('job-0');
    expect(visibleJobs(jobs.store.getState())).toHaveLength(1);
    jobs.remove('job-0');
    await jobs.settle('job-0');
    expect(jobs.store.getState().jobs).toEqual([]);
  });
});

describe('a job', () => {
  it('takes over what its events tell', () => {
    const report = layerReport(firstLinear, 0);
    const again = { ...report, bits: 8 };
    const events = [
      { kind: 'layer' as const, step: 1, report },
      { kind: 'layer' as const, step: 1, report: again },
      { kind: 'log' as const, entry: { at: 1, text: 'done' } },
      { kind: 'progress' as const, progress: { fraction: 0.5, step: 1, detail: 'x' } },
    ];
    const start: Job = { ...interruptedJob, layers: [] };
    const job = compressOf(events.reduce(applyJobEvent, start));
    expect(layersOf(job, 1)).toEqual([again]);
    expect(layersOf(job, 0)).toEqual([]);
    expect(job.log.at(-1)?.text).toBe('done');
    expect(job.progress?.fraction).toBe(0.5);
  });

  it('counts in the progress of all with what it has done', () => {
    expect(
      queueProgress([at('finished', 1), at('failed', 0.2), at('running', 0.5), at('queued', 0)]),
    ).toEqual({ done: 2, total: 4, fraction: 0.625 });
    expect(queueProgress([])).toEqual({ done: 0, total: 0, fraction: 0 });
  });
});

describe('a comparison with the parent', () => {
  const [parent] = records;
  const variant = { ...parent, name: 'tiny-stories/x', bytes: parent.bytes / 4 };
  const report = layerReport(firstLinear, 0);

  it('has size, bits and the mean error as the last pass left it', () => {
    const layers = [
      { ...report, layer: 'a', errorAfter: 0.5 },
      { ...report, layer: 'a', errorAfter: 0.1 },
      { ...report, layer: 'b', errorAfter: 0.3 },
    ];
    const { bits, bitsBefore, error } = compare(variant, parent, layers);
    expect(bits / (bitsBefore ?? 0)).toBeCloseTo(0.25);
    expect(error).toMatchObject({ mean: 0.2, count: 2, worst: { layer: 'b' } });
  });

  it('leaves out what was not measured or is not known', () => {
    const layers = [{ ...report, errorAfter: null }];
    expect(compare(variant, undefined, layers)).toMatchObject({
      bytesBefore: null,
      bitsBefore: null,
      error: null,
    });
  });
});
