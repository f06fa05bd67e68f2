import { describe, expect, it } from 'vitest';
import { historyOf } from '../../../renderer/state/recordHistory.ts';
import { benches, circumstances, evaluationOf, oldBenches, variants } from '../fakeMeasurements.ts';

const [model] = variants;
if (!model) throw new Error('no model');
const mine = benches.filter(({ model: name }) => name === model.name);

describe('the history of a model', () => {
  it('flags what changed between measurements, and whether the value left its interval', () => {
    const history = historyOf({ evaluations: [], benches: [...mine, ...oldBenches] });
    const p50 = history.find(({ key }) => key === 'decode-p50');
    expect(p50?.entries.map(({ changes, moved }) => ({ changes, moved }))).toEqual([
      { changes: [], moved: null },
      { changes: [], moved: true },
      { changes: ['onnxruntime 1.28.0 → 1.30.0'], moved: true },
      { changes: ['threads 4 → 2'], moved: true },
      { changes: ['threads 2 → 4'], moved: true },
    ]);
  });

  it('does not flag a value that stayed where it was as moved', () => {
    const evaluations = [
      evaluationOf(model, 'perplexity', { id: 1, value: 4, ci95: [3.9, 4.1], measuredAt: 1 }),
      evaluationOf(model, 'perplexity', {
        id: 2,
        value: 4.05,
        ci95: [3.95, 4.15],
        measuredAt: 2,
        versions: { ...circumstances.versions, lathe: '0.2.0' },
      }),
      evaluationOf(model, 'perplexity', { id: 3, value: 5, ci95: [4.9, 5.1], measuredAt: 3 }),
    ];
    const [perplexity] = historyOf({ evaluations, benches: [] });
    expect(perplexity?.entries.map(({ changes, moved }) => [changes, moved])).toEqual([
      [[], null],
      [['lathe 0.1.0 → 0.2.0'], false],
      [['lathe 0.2.0 → 0.1.0'], true],
    ]);
  });

  it('keeps apart what was measured on other data or with another prompt', () => {
    const evaluations = [
      evaluationOf(model, 'perplexity'),
      evaluationOf(model, 'perplexity', { id: 2, data: 'other', dataSha256: '00' }),
      evaluationOf(model, 'minimal-pairs'),
    ];
    expect(historyOf({ evaluations, benches: [] }).map(({ key, label }) => [key, label])).toEqual([
      ['quality:perplexity', 'stories'],
      ['quality:perplexity', 'other'],
      ['quality:minimal-pairs', 'stories'],
    ]);
  });

  it('has no line for a percentile that no measurement tells', () => {
    const history = historyOf({ evaluations: [], benches: oldBenches });
    expect(history.map(({ key }) => key)).not.toContain('decode-p99');
  });
});
