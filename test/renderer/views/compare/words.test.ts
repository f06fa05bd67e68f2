import { describe, expect, it } from 'vitest';
import { readBench, readEvaluation } from '../../../../renderer/state/quantities.ts';
import {
  differenceText,
  readingText,
  spreadText,
  withoutBase,
} from '../../../../renderer/views/compare/words.ts';
import { benchOf, evaluationOf, variants } from '../../fakeMeasurements.ts';

const [base, variant] = variants;
if (!base || !variant) throw new Error('no models');

const reading = (part: object) => readEvaluation(evaluationOf(variant, 'perplexity', part));

describe('a value in words', () => {
  it('has its interval, as two sides where they differ, and how many items it is of', () => {
    expect(
      readingText('quality:perplexity', reading({ value: 4, ci95: [3.9, 4.1], n: 1200 })),
    ).toBe('Perplexity 4 ± 0.1, n 1,200');
    expect(spreadText({ value: 4, ci95: [3.9, 4.3] })).toBe('−0.1 +0.3');
    expect(spreadText({ value: 4, ci95: null })).toBeNull();
  });

  it('has its difference from the base on the same items, with its p-value', () => {
    const against = { value: 3.75, difference: 0.25, ci95: [0.2, 0.3] as [number, number] };
    expect(differenceText(reading({ against: { ...against, pValue: 0.004 } }))).toBe(
      '+0.25 ± 0.05 to tiny-stories, p 0.004',
    );
    expect(
      differenceText(
        reading({ against: { value: 4, difference: -0.1, ci95: null, pValue: 0.0001 } }),
      ),
    ).toBe('−0.1 to tiny-stories, p < 0.001');
  });

  it('has none where nothing was compared, or where it is a difference itself', () => {
    expect(differenceText(readEvaluation(evaluationOf(base, 'perplexity')))).toBeNull();
    expect(differenceText(readEvaluation(evaluationOf(variant, 'kl')))).toBeNull();
    const speed = readBench('decode-p50', benchOf(variant, 100));
    expect(speed && differenceText(speed)).toBeNull();
  });

  it('names a variant without its base, and nothing else', () => {
    expect(withoutBase('tiny-stories/int4', 'tiny-stories')).toBe('int4');
    expect(withoutBase('tiny-stories-2', 'tiny-stories')).toBe('tiny-stories-2');
  });
});
