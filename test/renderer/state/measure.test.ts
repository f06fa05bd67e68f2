import { describe, expect, it } from 'vitest';
import { benchRequestSchema, evaluateRequestSchema } from '../../../preload/contract/index.ts';
import { fieldsOf, firstPlan, requestsOf, runsFor } from '../../../renderer/state/measure.ts';
import { variants } from '../fakeMeasurements.ts';

const models = ['tiny-stories', 'tiny-stories/int4-rtn'];

describe('a plan to measure', () => {
  it('asks for one job per model and kind of data, variants against what they were made from', () => {
    const { evaluations, benches } = requestsOf(
      { ...firstPlan, models, metrics: ['kl', 'perplexity', 'minimal-pairs'], limit: 50 },
      variants,
    );
    expect(
      evaluations.map(({ model, against, metrics, data, limit }) => [
        model,
        against,
        metrics,
        data,
        limit,
      ]),
    ).toEqual([
      ['tiny-stories', undefined, ['perplexity'], 'stories', 50],
      ['tiny-stories', undefined, ['minimal-pairs'], 'minimal-pairs', 50],
      ['tiny-stories/int4-rtn', 'tiny-stories', ['kl', 'perplexity'], 'stories', 50],
      ['tiny-stories/int4-rtn', 'tiny-stories', ['minimal-pairs'], 'minimal-pairs', 50],
    ]);
    expect(benches.map(({ model }) => model)).toEqual(models);
    for (const request of evaluations) evaluateRequestSchema.parse(request);
    for (const request of benches) benchRequestSchema.parse(request);
  });

  it('asks nothing of a base that can only be asked of variants, and no speed unless wanted', () => {
    const plan = { ...firstPlan, models: ['tiny-stories'], metrics: ['kl'] as const, speed: null };
    expect(requestsOf(plan, variants)).toEqual({ evaluations: [], benches: [] });
  });

  it('runs as often as the percentile needs samples', () => {
    const speed = { promptTokens: 128, newTokens: 65 };
    expect(
      (['p50', 'p99', 'p999'] as const).map((percentile) => runsFor({ ...speed, percentile })),
    ).toEqual([5, 16, 157]);
  });

  it('takes names of fields as pairs, and nothing else', () => {
    expect(fieldsOf('text=story, answer = label')).toEqual({ text: 'story', answer: 'label' });
    expect(fieldsOf('')).toEqual({});
    expect(fieldsOf('text')).toBeNull();
    expect(fieldsOf('text=')).toBeNull();
    const [request] = requestsOf(
      { ...firstPlan, models: ['tiny-stories'], fields: 'text=story' },
      variants,
    ).evaluations;
    expect(request?.fields).toEqual({ text: 'story' });
  });
});
