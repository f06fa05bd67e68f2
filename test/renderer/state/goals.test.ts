import { describe, expect, it } from 'vitest';
import { goalsText, lineOf, meets, parseGoals, type Goal } from '../../../renderer/state/goals.ts';
import { joinPoints } from '../../../renderer/state/points.ts';
import { benches, evaluations, variants } from '../fakeMeasurements.ts';

const axes = { x: 'decode-p50', y: 'quality:top-1' } as const;
const { points } = joinPoints({
  models: variants,
  evaluations,
  benches,
  price: { perHour: null },
  chosen: {},
});
const base = points.find(({ model }) => model.name === 'tiny-stories');

const read = (text: string): readonly Goal[] | string => {
  const reading = parseGoals(text, axes);
  return reading.kind === 'right' ? reading.goals : reading.message;
};

describe('goals in words', () => {
  it.each<readonly [string, readonly Omit<Goal, never>[]]>([
    [
      'at most 10 ms and at least 98 % of the base',
      [
        { key: 'decode-p50', relation: 'at-most', value: 10, ofBase: false },
        { key: 'quality:top-1', relation: 'at-least', value: 0.98, ofBase: true },
      ],
    ],
    [
      'Decode P99 at most 0.5 s',
      [{ key: 'decode-p99', relation: 'at-most', value: 500, ofBase: false }],
    ],
    ['size <= 1.5 GB', [{ key: 'bytes', relation: 'at-most', value: 1500, ofBase: false }]],
    [
      'perplexity under 12',
      [{ key: 'quality:perplexity', relation: 'at-most', value: 12, ofBase: false }],
    ],
    ['at least 90 %', [{ key: 'quality:top-1', relation: 'at-least', value: 0.9, ofBase: false }]],
    [
      'at least 1,000 tokens/s',
      [{ key: 'tokens-per-second', relation: 'at-least', value: 1000, ofBase: false }],
    ],
    ['', []],
  ])('%s', (text, goals) => {
    expect(read(text)).toEqual(goals);
  });

  it.each([
    ['fast', 'a goal reads like “at most 10 ms”: fast'],
    ['speeed at least 3', 'there is no quantity of this name: speeed'],
    ['at most 3 miles', 'there is no such unit: miles'],
    ['perplexity at most 3 ms', 'Perplexity is not measured in this unit: ms'],
  ])('say what cannot be read: %s', (text, message) => {
    expect(read(text)).toBe(message);
  });

  it('are written so that they are read again', () => {
    const text =
      'size at most 900 kB and at least 98 % of the base and energy at most 0.02 J/token';
    const goals = read(text);
    expect(typeof goals === 'string' ? goals : read(goalsText(goals))).toEqual(goals);
  });
});

const ofBase = (key: Goal['key'], relation: Goal['relation'], value: number): Goal => ({
  key,
  relation,
  value,
  ofBase: true,
});

describe('a goal', () => {
  it('of the base lies at its share, and where less is better as far above', () => {
    const perplexity = base?.values.get('quality:perplexity')?.value ?? Number.NaN;
    expect(lineOf(ofBase('quality:perplexity', 'at-least', 0.98), base)).toEqual({
      key: 'quality:perplexity',
      relation: 'at-most',
      at: perplexity / 0.98,
    });
    expect(lineOf(ofBase('bytes', 'at-most', 0.5), base)).toMatchObject({
      relation: 'at-most',
      at: (base?.model.bytes ?? 0) / 2e6,
    });
  });

  it('of a base that was not measured has no line', () => {
    expect(lineOf(ofBase('quality:top-1', 'at-least', 0.98), base)).toBeNull();
  });

  it('is met, missed, or open where the value is not known', () => {
    const lines = [
      { key: 'decode-p50', at: 2.3, relation: 'at-most' },
      { key: 'quality:top-1', at: 0.85, relation: 'at-least' },
    ] as const;
    const by = (name: string): boolean | null | undefined => {
      const point = points.find(({ model }) => model.name.endsWith(name));
      return point && meets(point, lines);
    };
    expect(by('int4-gptq')).toBe(true);
    expect(by('int8-weights')).toBe(false);
    expect(by('wanda-50')).toBe(false);
    expect(by('heads-25')).toBe(false);
    const open = points.find(({ model }) => model.name.endsWith('wanda-50'));
    expect(open && meets(open, [lines[0]])).toBeNull();
  });
});
