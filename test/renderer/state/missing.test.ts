import { describe, expect, it } from 'vitest';
import type { JobSummary } from '../../../preload/contract/index.ts';
import { firstPlan } from '../../../renderer/state/measure.ts';
import { canMeasure, missingText, notAskedFor, planLike } from '../../../renderer/state/missing.ts';
import { joinPoints } from '../../../renderer/state/points.ts';
import { benchOf, evaluationOf, variants } from '../fakeMeasurements.ts';

const [base, variant] = variants;
if (!base || !variant) throw new Error('no models');

const { points, series, benchSeries } = joinPoints({
  models: variants,
  evaluations: [
    evaluationOf(base, 'perplexity', {
      data: '/data/news.jsonl',
      protocol:
        'sliding-1/window=512/stride=256/long=slide/first=8/fields=text=story/bootstrap=1000/seed=0',
    }),
  ],
  benches: [
    benchOf(base, 100, {
      request: { ...benchOf(base, 10).request, promptTokens: 32, newTokens: 16 },
    }),
  ],
  price: { perHour: null },
  chosen: {},
});
const measured = { series, benchSeries, chosen: {} };
const lacking = points.filter(({ model }) => model === variant);

const job = (part: object): JobSummary =>
  ({ id: 'job-1', state: 'queued', kind: 'bench', model: variant.name, ...part }) as JobSummary;

describe('what is missing', () => {
  it('is not asked for twice while a job measures it', () => {
    const missing = { key: 'decode-p50' as const, points: lacking };
    expect(notAskedFor(missing, [job({})])).toEqual([]);
    expect(notAskedFor(missing, [job({ state: 'finished' })])).toEqual(lacking);
    expect(notAskedFor(missing, [job({ model: base.name })])).toEqual(lacking);
    const evaluate = job({ kind: 'evaluate', request: { metrics: ['kl'] } });
    expect(notAskedFor({ key: 'quality:kl', points: lacking }, [evaluate])).toEqual([]);
    expect(notAskedFor({ key: 'quality:top-1', points: lacking }, [evaluate])).toEqual(lacking);
  });

  it('cannot be measured where the machine does not tell, and costs take a price', () => {
    const benched = points.filter(({ model }) => model === base);
    const energy = { key: 'joules' as const, points: benched };
    expect([canMeasure(energy), missingText(energy)]).toEqual([
      false,
      '1 model has no Energy: the energy counter of this machine cannot be read',
    ]);
    expect(canMeasure({ key: 'joules', points: lacking })).toBe(true);
    expect(canMeasure({ key: 'cost', points: benched })).toBe(false);
  });

  it('is measured on the data that the others were measured on, and as many items of it', () => {
    const plan = planLike(firstPlan, { key: 'quality:perplexity', points: lacking }, measured);
    expect(plan).toMatchObject({
      models: [variant.name],
      metrics: ['perplexity'],
      data: { documents: '/data/news.jsonl' },
      limit: 8,
      fields: 'text=story',
      speed: null,
    });
  });

  it('is measured with the prompt that the others were measured with, as often as it takes', () => {
    const speed = { promptTokens: 32, newTokens: 16 };
    expect(planLike(firstPlan, { key: 'decode-p99', points: lacking }, measured)).toMatchObject({
      metrics: [],
      speed: { ...speed, percentile: 'p99' },
    });
    expect(planLike(firstPlan, { key: 'ttft', points: lacking }, measured)).toMatchObject({
      speed: { ...speed, percentile: 'p50' },
    });
  });

  it('is measured as planned where nothing was measured before', () => {
    const plan = planLike(
      firstPlan,
      { key: 'quality:minimal-pairs', points: lacking },
      { series: new Map(), benchSeries: [], chosen: {} },
    );
    expect(plan).toMatchObject({
      metrics: ['minimal-pairs'],
      data: { pairs: 'minimal-pairs' },
      limit: null,
    });
  });
});
