import { bleu, bleuSums } from './bleu.ts';
import { chrf, chrfSums } from './chrf.ts';
import type { Sums } from './measurement.ts';
import type { MetricOf } from './reads.ts';
import { exactMatch, wordF1 } from './textMatch.ts';

/** Metrics of what a model writes behind a prompt. */
type TextMetric = Exclude<MetricOf<'continuations'>, 'last-word'>;

/** What a metric makes of texts that models wrote, and of those that were expected. */
export function textSums(
  metric: TextMetric,
  expected: readonly string[],
  model: readonly string[],
  base: readonly string[] | null,
): Sums {
  const { row, figure } = textMetric(metric);
  const rows = (texts: readonly string[]): number[][] =>
    texts.map((text, at) => row(text, expected[at]));
  return { model: rows(model), base: base && rows(base), figure };
}

function textMetric(metric: TextMetric): {
  row: (given: string, expected: string) => number[];
  figure: (sums: readonly number[]) => number;
} {
  switch (metric) {
    case 'bleu':
      return { row: (given, wanted) => bleuSums(given, [wanted]), figure: bleu };
    case 'chrf':
      return { row: chrfSums, figure: chrf };
    case 'f1':
      return { row: (given, wanted) => [wordF1(given, wanted), 1], figure: mean };
    case 'exact-match':
      return { row: (given, wanted) => [exactMatch(given, wanted), 1], figure: mean };
  }
}

const mean = ([sum, count]: readonly number[]): number => sum / count;
