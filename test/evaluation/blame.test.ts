import { describe, expect, test } from 'vitest';
import { findBlame, mostRuns, type Suspect, type Unit } from '../../main/evaluation/blame.ts';
import { createRandom } from '../../main/numeric/random.ts';

const linears = ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'];

/** The layers of a model of so many blocks. */
function unitsOf(blocks: number): Unit[] {
  return [
    { block: null, layers: ['embed'] },
    ...Array.from({ length: blocks }, (_, block) =>
      linears.map((name) => ({ block, layers: [`blocks.${block}.${name}`] })),
    ).flat(),
    { block: null, layers: ['lm_head'] },
  ];
}

/** A model whose KL is the sum of what its layers add, and whose token is back below `limit`. */
function additive(harm: (layer: string) => number, limit: number) {
  const asked: string[][] = [];
  const total = (units: readonly Unit[], but: ReadonlySet<string>): number =>
    units
      .flatMap(({ layers }) => layers)
      .reduce((sum, layer) => sum + (but.has(layer) ? 0 : harm(layer)), 0);
  const search = async (units: readonly Unit[], flipped = true) => {
    const told: Suspect[] = [];
    const findings = await findBlame(units, {
      kl: total(units, new Set()),
      flipped,
      judge: (some) => {
        const layers = some.flatMap((unit) => unit.layers);
        asked.push(layers);
        const kl = total(units, new Set(layers));
        return Promise.resolve({ kl, restores: kl < limit });
      },
      onSuspect: (suspect) => told.push(suspect),
    });
    return { ...findings, told };
  };
  return { asked, search };
}

const harmOf =
  (pattern: RegExp, harm: number, others: number) =>
  (layer: string): number =>
    pattern.test(layer) ? harm : others;

const judge = () => Promise.reject(new Error('nothing was to be run'));

describe('one culprit', () => {
  test.each([1, 2, 5, 12, 24, 80])(
    'among the layers of %i blocks is named first, within 2·log₂(layers) + 5 runs',
    async (blocks) => {
      const units = unitsOf(blocks);
      for (const { layers } of units) {
        const [culprit] = layers;
        const harm = (layer: string): number => (layer === culprit ? 5 : 0.001);
        const { suspects, sufficient, runs, told } = await additive(harm, 1).search(units);
        expect(suspects[0]).toMatchObject({ layer: culprit, restores: true });
        expect(sufficient).toEqual([culprit]);
        expect(runs).toBeLessThanOrEqual(2 * Math.log2(units.length) + 5);
        expect(told).toHaveLength(suspects.length);
      }
    },
  );

  test('is found where no token flipped, by the divergence it takes away', async () => {
    const model = additive(harmOf(/^blocks\.3\.mlp\.down$/, 5, 0.001), 1);
    const { suspects, sufficient, runs } = await model.search(unitsOf(12), false);
    expect(suspects[0]).toMatchObject({ layer: 'blocks.3.mlp.down', restores: false });
    expect(suspects[0].effect).toBeGreaterThan(0.9);
    expect(sufficient).toEqual([]);
    expect(runs).toBeLessThanOrEqual(2 * Math.log2(50) + 5);
  });
});

describe('a difference that is spread', () => {
  test('is ranked by effect, and the fewest of the worst that suffice are named', async () => {
    const units = unitsOf(4);
    const random = createRandom(3);
    const harms = new Map(units.map(({ layers }) => [layers[0], random.next() ** 3]));
    const harm = (layer: string): number => harms.get(layer) ?? 0;
    const { asked, search } = additive(harm, 1);
    const { suspects, sufficient, runs } = await search(units);
    expect(asked).toHaveLength(runs);
    expect(runs).toBeLessThanOrEqual(mostRuns);
    const worst = [...harms].toSorted(([, a], [, b]) => b - a).map(([layer]) => layer);
    expect(suspects.map(({ layer }) => layer)).toEqual(worst);
    const sum = worst.reduce((all, layer) => all + harm(layer), 0);
    suspects.forEach(({ layer, effect }) => expect(effect).toBeCloseTo(harm(layer) / sum, 9));
    // Counted by hand: put back the worst until less than 1 is left.
    let rest = sum;
    const expected = worst.filter((layer) => {
      const needed = rest >= 1;
      rest -= harm(layer);
      return needed;
    });
    expect(sufficient).toEqual(expected);
  });

  test('over very many layers stops at the runs it may take, with the worst found', async () => {
    const model = additive(harmOf(/blocks\.(7|70)\.mlp/, 3, 0.02), 7.5);
    const { suspects, sufficient, runs } = await model.search(unitsOf(80));
    expect(runs).toBeLessThanOrEqual(mostRuns);
    const worst = ['7.mlp.down', '7.mlp.gate_up', '70.mlp.down', '70.mlp.gate_up'];
    const names = worst.map((name) => `blocks.${name}`);
    expect(suspects.slice(0, 4).map(({ layer }) => layer)).toEqual(expect.arrayContaining(names));
    expect(sufficient.toSorted()).toEqual(names);
  });

  test('that not even the whole base mends has nothing that suffices', async () => {
    const { search } = additive(() => 1, -1);
    expect((await search(unitsOf(2))).sufficient).toEqual([]);
  });
});

test('layers that go together are blamed together', async () => {
  const units: Unit[] = [
    { block: 0, layers: ['blocks.0.attn.qkv', 'blocks.0.attn.o'] },
    { block: 1, layers: ['blocks.1.mlp.down'] },
  ];
  const model = additive(harmOf(/attn\.o$/, 4, 0), 1);
  const { suspects, sufficient } = await model.search(units);
  expect(suspects.slice(0, 2)).toEqual([
    { layer: 'blocks.0.attn.qkv', effect: 1, restores: true },
    { layer: 'blocks.0.attn.o', effect: 1, restores: true },
  ]);
  expect(sufficient).toEqual(['blocks.0.attn.qkv', 'blocks.0.attn.o']);
});

test('equal models have nothing to blame, and a search that is cancelled ends', async () => {
  expect(await findBlame([], { judge, kl: 0, flipped: false })).toEqual({
    suspects: [],
    sufficient: [],
    runs: 0,
  });
  const signal = AbortSignal.abort();
  await expect(
    findBlame(unitsOf(1), { judge, kl: 1, flipped: true, signal }),
  ).rejects.toMatchObject({ code: 'cancelled' });
});
