import { describe, expect, it, vi } from 'vitest';
import type { EngineClient } from '../../../preload/contract/index.ts';
import {
  createMeasurements,
  visibleBenches,
  visibleEvaluations,
} from '../../../renderer/state/measurements.ts';
import { noMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { createFakeEngine } from '../fakeEngine.ts';
import { benches, evaluations, variants } from '../fakeMeasurements.ts';

const engine = () => createFakeEngine({ models: variants, evaluations, benches });

async function loaded() {
  const measurements = createMeasurements(engine().client);
  await measurements.load();
  return measurements;
}

describe('measurements', () => {
  it('are there as soon as the engine is, and again whenever something was measured', async () => {
    const fake = createFakeEngine({ models: variants });
    const host = {
      mac: false,
      chooseFolder: null,
      openExternal: () => {},
      copy: () => Promise.resolve(),
    };
    const studio = createStudio(fake, { host, memory: noMemory, frame: (then) => then() });
    const { store, evaluate, bench } = studio.measurements;
    await vi.waitFor(() => expect(store.getState().evaluations).toEqual([]));
    await evaluate([{ model: 'tiny-stories', metrics: ['perplexity'], data: 'stories' }]);
    await bench([{ model: 'tiny-stories' }]);
    await vi.waitFor(() => {
      expect(store.getState().evaluations).toMatchObject([{ metric: 'perplexity', n: 200 }]);
      expect(store.getState().benches).toMatchObject([{ model: 'tiny-stories' }]);
    });
    studio.close();
  });

  it('that were refused are told, and queue nothing', async () => {
    const { store, evaluate } = await loaded();
    expect(await evaluate([{ model: 'tiny-stories', metrics: ['kl'], data: 'stories' }])).toEqual(
      [],
    );
    expect(store.getState().failure).toMatchObject({ code: 'usage', data: { value: 'kl' } });
  });

  it('of a sweep are queued behind the variant they are of', async () => {
    const fake = createFakeEngine({ models: variants.slice(0, 1) });
    const measurements = createMeasurements(fake.client);
    const ids = await measurements.sweep({
      model: 'tiny-stories',
      recipes: [{ name: 'a', passes: [{ pass: 'quantize-rtn' }] }],
      evaluations: [{ metrics: ['perplexity', 'kl'], data: 'stories' }],
      bench: {},
    });
    const jobs = await fake.client.jobs.list();
    expect(ids.map((id) => jobs.find((job) => job.id === id)?.kind)).toEqual([
      'evaluate',
      'bench',
      'compress',
      'evaluate',
      'bench',
    ]);
  });

  it('are hidden at once and come back on undo', async () => {
    const { store, remove, undo, settle } = await loaded();
    const [first] = evaluations;
    const measurement = { kind: 'evaluation' as const, id: first?.id ?? 0 };
    const all = visibleEvaluations(store.getState());
    remove(measurement);
    expect(visibleEvaluations(store.getState())).toHaveLength(all.length - 1);
    undo(measurement);
    await settle(measurement);
    expect(visibleEvaluations(store.getState())).toEqual(all);
  });

  it('are deleted for good once the offer to undo has passed, of their own kind only', async () => {
    const { store, remove, settle, load } = await loaded();
    const measurement = { kind: 'bench' as const, id: benches[0]?.id ?? 0 };
    remove(measurement);
    await settle(measurement);
    await load();
    expect(store.getState().benches).toHaveLength(benches.length - 1);
    expect(store.getState().evaluations).toHaveLength(evaluations.length);
    expect(visibleBenches(store.getState())).toBe(store.getState().benches);
  });

  it('asked for while they are being asked for are asked for once more, not ten times', async () => {
    const { client } = engine();
    const list = vi.fn<() => ReturnType<typeof client.benches.list>>(() => client.benches.list());
    const counted = { evaluations: client.evaluations, benches: { list } };
    const { load } = createMeasurements(counted as unknown as EngineClient);
    await Promise.all(Array.from({ length: 10 }, () => load()));
    expect(list).toHaveBeenCalledTimes(2);
  });
});
