import { describe, expect, it } from 'vitest';
import { missingText } from '../../../renderer/state/missing.ts';
import { joinPoints, split, type Point } from '../../../renderer/state/points.ts';
import { evaluationSeries } from '../../../renderer/state/series.ts';
import { benches, benchOf, evaluationOf, evaluations, variants } from '../fakeMeasurements.ts';

const sources = { models: variants, evaluations, benches, price: { perHour: null }, chosen: {} };
const all = joinPoints(sources).points;

function named(name: string, points: readonly Point[] = all): Point {
  const point = points.find(({ model }) => model.name === `tiny-stories/${name}`);
  if (!point) throw new Error(`no such point: ${name}`);
  return point;
}

const valueOf = (point: Point, key: Parameters<Point['values']['get']>[0]) =>
  point.values.get(key)?.value;

describe('points', () => {
  it('join one model with its measurements of quality, speed, memory and energy', () => {
    const point = named('int4-rtn');
    const bench = benches.find(({ model }) => model === point.model.name);
    const perplexity = evaluations.find(
      ({ model, metric }) => model === point.model.name && metric === 'perplexity',
    );
    expect(Object.fromEntries([...point.values].map(([key, { value }]) => [key, value]))).toEqual(
      expect.objectContaining({
        'quality:perplexity': perplexity?.value,
        'decode-p50': bench?.decode.p50,
        'decode-p99': bench?.decode.p99,
        ttft: bench?.ttft.p50,
        'tokens-per-second': bench?.decode.tokensPerSecond,
        'peak-memory': (bench?.peakRssBytes ?? 0) / 1e6,
        joules: bench?.joulesPerToken,
        bytes: point.model.bytes / 1e6,
      }),
    );
    expect(point.values.get('quality:perplexity')).toMatchObject({
      ci95: perplexity?.ci95,
      n: 200,
    });
    expect(point.values.get('decode-p99')).toMatchObject({
      ci95: bench?.decode.ci95?.p99,
      n: bench?.decode.samples,
    });
    expect(point.family).toBe('tiny-stories');
  });

  it('lack what was not measured instead of being zero', () => {
    expect(valueOf(named('heads-25'), 'quality:perplexity')).toBeUndefined();
    expect(valueOf(named('wanda-50'), 'decode-p50')).toBeUndefined();
    expect(valueOf(named('fp16'), 'decode-p99')).toBeUndefined();
    expect(valueOf(named('int4-hqq'), 'joules')).toBeUndefined();
    expect(all.some(({ values }) => values.has('cost'))).toBe(false);
  });

  it('cost what an hour costs, shared among its tokens', () => {
    const { points } = joinPoints({ ...sources, price: { perHour: 0.36 } });
    const rate = valueOf(named('int4-rtn'), 'tokens-per-second') ?? 0;
    expect(valueOf(named('int4-rtn', points), 'cost')).toBeCloseTo((0.36 / 3600 / rate) * 1e6);
  });

  it('take the newest measurement, and of speed the newest that tells the percentile', () => {
    const model = named('int4-rtn').model;
    const later = { measuredAt: Date.now() };
    const { points } = joinPoints({
      ...sources,
      evaluations: [...evaluations, evaluationOf(model, 'perplexity', { ...later, value: 9 })],
      benches: [...benches, benchOf(model, 320, { ...later, peakRssBytes: 5e6 })],
    });
    const point = named('int4-rtn', points);
    expect(valueOf(point, 'quality:perplexity')).toBe(9);
    expect(valueOf(point, 'peak-memory')).toBe(5);
    expect(valueOf(point, 'decode-p99')).toBe(valueOf(named('int4-rtn'), 'decode-p99'));
  });

  it('never show values side by side that were measured on other data or in another way', () => {
    const model = named('int4-rtn').model;
    const other = evaluationOf(model, 'perplexity', {
      measuredAt: Date.now(),
      dataSha256: 'ff',
      data: '/data/news.txt',
      value: 70,
    });
    const both = [...evaluations, other];
    const usual = joinPoints({ ...sources, evaluations: both });
    expect(valueOf(named('int4-rtn', usual.points), 'quality:perplexity')).toBeLessThan(10);

    const [stories, news] = evaluationSeries(both, 'perplexity', () => 'tiny-stories');
    expect(stories?.label).toMatch(/^stories, 200 items/);
    expect(news?.label).toMatch(/^news\.txt/);
    const chosen = joinPoints({
      ...sources,
      evaluations: both,
      chosen: { 'quality:perplexity': news?.key ?? '' },
    });
    expect(chosen.points.flatMap((point) => valueOf(point, 'quality:perplexity') ?? [])).toEqual([
      70,
    ]);
  });

  it('stand apart where they were compared with another model than they were made from', () => {
    const model = named('int4-rtn').model;
    const other = evaluationOf(model, 'kl', { measuredAt: Date.now(), base: 'another', value: 7 });
    const { points, series } = joinPoints({ ...sources, evaluations: [...evaluations, other] });
    expect(valueOf(named('int4-rtn', points), 'quality:kl')).toBeLessThan(1);
    expect(series.get('quality:kl')?.map(({ label }) => label)).toEqual([
      'stories, 200 items, kl window 512 stride 256',
      'stories, 200 items, kl window 512 stride 256, against another',
    ]);
  });

  it('do not take over what was measured of other weights under the same name', () => {
    const changed = variants.map((model) => ({ ...model, sha256: `${model.sha256}0` }));
    const { points } = joinPoints({ ...sources, models: changed });
    expect(points.map(({ values }) => [...values.keys()])).toEqual(points.map(() => ['bytes']));
  });

  it('that lack an axis are counted for each, the base not where it would be its own', () => {
    const { complete, missing } = split(all, 'decode-p99', 'quality:kl');
    expect(missing.map(missingText)).toEqual([
      '3 models have no Decode P99 yet',
      '1 model has no KL to the base yet',
    ]);
    expect(complete.map(({ model }) => model.name)).not.toContain('tiny-stories');
    expect(complete).toHaveLength(variants.length - 5);
  });
});
