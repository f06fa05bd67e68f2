import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import type { Captured } from '../../main/capture/captured.ts';
import { headStatistics } from '../../main/capture/headStatistics.ts';
import { predictions } from '../../main/capture/predictions.ts';
import { inductionModel } from '../models/inductionModel.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openModel, type TestSubject } from './open.ts';

describe('a model with an induction head, written by hand', () => {
  const { config, tensors } = inductionModel();
  const sequence = [3, 9, 1, 12, 7, 0, 14, 5, 10, 2];
  const ids = [15, ...sequence, ...sequence];
  let subject: TestSubject;
  let captured: Captured;
  beforeAll(async () => {
    const model = architectureOf(config, 'config.json').build(tensors, 'fused');
    subject = await openModel(model, 64);
    captured = await subject.capturer.capture(ids);
  });
  afterAll(() => subject.close());

  test('says again what followed, so that it is one', async () => {
    const found = await predictions(
      captured,
      { capturer: subject.capturer, readout: await subject.readout() },
      1,
    );
    const said = found.map(({ alternatives }) => alternatives[0].id);
    expect(said.slice(sequence.length + 1, -1)).toEqual(sequence.slice(1));
  });

  test('shows it: the induction score is high for head 1.1 alone', async () => {
    const heads = await headStatistics(captured, subject.capturer.patterns);
    const scores = heads.map(({ layer, head, induction }) => [`${layer}.${head}`, induction]);
    expect(scores.filter(([, score]) => Number(score) > 0.5).map(([name]) => name)).toEqual([
      '1.1',
    ]);
    expect(heads[3].induction).toBeGreaterThan(0.99);
    expect(Math.max(...heads.slice(0, 3).map(({ induction }) => induction ?? 0))).toBeLessThan(0.2);
  });

  test('shows the head that looks at the token before, by distance alone', async () => {
    const heads = await headStatistics(captured, subject.capturer.patterns);
    expect(heads[0].previous).toBeGreaterThan(0.99);
    expect(heads[0].positional).toBeGreaterThan(0.99);
    expect(heads[0].distance).toBeCloseTo(1, 2);
    expect(heads[0].entropy).toBeLessThan(0.05);
    expect(heads[3].positional).toBeLessThan(0.9);
  });

  test('knows the entropy and distance of a head that looks everywhere alike', async () => {
    const [, uniform] = await headStatistics(captured, subject.capturer.patterns);
    const positions = ids.slice(1).map((_, at) => at + 1);
    const over = (of: (position: number) => number): number => mean(positions.map(of));
    expect(uniform.entropy).toBeCloseTo(
      over((i) => Math.log2(i + 1)),
      4,
    );
    expect(uniform.distance).toBeCloseTo(
      over((i) => i / 2),
      4,
    );
    const share = over((i) => 1 / (i + 1));
    expect(uniform.self).toBeCloseTo(share, 5);
    expect(uniform.previous).toBeCloseTo(share, 5);
    expect(uniform.sink).toBeCloseTo(share, 5);
  });

  test('without its head 0.0 the induction head finds nothing any more', async () => {
    const without = await subject.capturer.capture(ids, { ablate: [{ layer: 0, head: 0 }] });
    const heads = await headStatistics(without, subject.capturer.patterns);
    expect(heads[3].induction).toBeLessThan(0.2);
  });
});

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

describe('statistics of a random model', () => {
  const ids = [1, 4, 7, 4, 4, 9, 1, 4, 30, 1, 7];

  /** The definitions, written out over whole patterns. */
  function expected(pattern: Float32Array) {
    const tokens = ids.length;
    const p = (i: number, j: number): number => pattern[i * tokens + j];
    const behind = ids.map((_, i) => i).slice(1);
    const keys = (i: number): number[] => ids.map((_, j) => j).slice(0, i + 1);
    const repeated = (least: number) =>
      behind
        .map((i) => ({ i, places: keys(i).filter((j) => j < i - least && ids[j] === ids[i]) }))
        .filter(({ places }) => places.length > 0);
    const earlier = behind
      .map((i) => ({ i, places: keys(i).filter((j) => j < i && ids[j] === ids[i]) }))
      .filter(({ places }) => places.length > 0);
    const pairs = behind.flatMap((i) => keys(i).map((j) => ({ back: i - j, value: p(i, j) })));
    const total = mean(pairs.map(({ value }) => value));
    const group = (back: number): number =>
      mean(pairs.filter((pair) => pair.back === back).map(({ value }) => value));
    const within = sum(pairs.map(({ back, value }) => (value - group(back)) ** 2));
    return {
      entropy: mean(behind.map((i) => sum(keys(i).map((j) => -p(i, j) * Math.log2(p(i, j)))))),
      distance: mean(behind.map((i) => sum(keys(i).map((j) => p(i, j) * (i - j))))),
      previous: mean(behind.map((i) => p(i, i - 1))),
      self: mean(behind.map((i) => p(i, i))),
      sink: mean(behind.map((i) => p(i, 0))),
      induction: mean(repeated(1).map(({ i, places }) => sum(places.map((j) => p(i, j + 1))))),
      duplicate: mean(earlier.map(({ i, places }) => sum(places.map((j) => p(i, j))))),
      positional: 1 - within / sum(pairs.map(({ value }) => (value - total) ** 2)),
    };
  }

  test('are those of their definitions', async () => {
    const { capturer, close } = await openModel(tinyDecoder({ keyValueHeads: 2 }).model);
    const captured = await capturer.capture(ids);
    const heads = await headStatistics(captured, capturer.patterns);
    expect(heads.map(({ layer, head }) => `${layer}.${head}`)).toEqual(
      '0.0 0.1 0.2 0.3 1.0 1.1 1.2 1.3'.split(' '),
    );
    for (const { layer, head, ...found } of heads) {
      const wanted = expected(await capturer.patterns.square(captured, layer, head));
      for (const [name, value] of Object.entries(wanted)) {
        expect({ [name]: Number(found[name as keyof typeof found]) }).toEqual({
          [name]: expect.closeTo(value, 5),
        });
      }
    }
    await close();
  });

  test('are refused where attention is not finite, naming the head', async () => {
    const { capturer, close } = await openModel(tinyDecoder().model);
    const captured = await capturer.capture(ids);
    const { attention, heads } = captured.layers[1];
    if (attention.kind !== 'parts') throw new Error('queries and keys are kept');
    attention.query[attention.headDim * (heads + 2)] = NaN;
    await expect(headStatistics(captured, capturer.patterns)).rejects.toMatchObject({
      code: 'values_not_finite',
      message: 'the model gave attention that is not finite: layer 1, head 2',
    });
    await close();
  });

  test('say null where no token stands twice, and zeros of a single token', async () => {
    const { capturer, close } = await openModel(tinyDecoder().model);
    const [different] = await headStatistics(await capturer.capture([1, 2, 3]), capturer.patterns);
    expect(different).toMatchObject({ induction: null, duplicate: null });
    const [single] = await headStatistics(await capturer.capture([5]), capturer.patterns);
    expect(single).toEqual({
      layer: 0,
      head: 0,
      entropy: 0,
      distance: 0,
      previous: 0,
      self: 0,
      sink: 0,
      induction: null,
      duplicate: null,
      positional: 0,
    });
    await close();
  });
});
