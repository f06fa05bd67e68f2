import { common, nGrams } from './nGrams.ts';

/** sacreBLEU's way of saying how a score was made; one reference, case kept. */
export const bleuSignature = 'BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp';

const orders = 4;

/**
 * What BLEU needs of a text and its references, to be added up over texts: matching 1- to 4-grams,
 * all 1- to 4-grams, length, length of the closest reference (the shorter of equally close ones).
 */
export function bleuSums(given: string, references: readonly string[]): number[] {
  const own = tokenize13a(given);
  const wanted = references.map(tokenize13a);
  const matches: number[] = [];
  const totals: number[] = [];
  for (let order = 1; order <= orders; order++) {
    const most = new Map<string, number>();
    for (const words of wanted) {
      for (const [gram, count] of nGrams(words, order)) {
        most.set(gram, Math.max(count, most.get(gram) ?? 0));
      }
    }
    matches.push(common(nGrams(own, order), most));
    totals.push(Math.max(0, own.length - order + 1));
  }
  const [closest] = wanted
    .map(({ length }) => length)
    .toSorted((a, b) => Math.abs(a - own.length) - Math.abs(b - own.length) || a - b);
  return [...matches, ...totals, own.length, closest];
}

/**
 * Corpus BLEU-4, 0 … 100 (Papineni et al. 2002): geometric mean of the modified precisions times
 * the brevity penalty. The k-th precision without a match counts as 1 / (2^k · total), as
 * mteval-v13a and sacreBLEU's `exp` smoothing do.
 */
export function bleu(sums: readonly number[]): number {
  const matches = sums.slice(0, orders);
  const totals = sums.slice(orders, 2 * orders);
  const [length, wanted] = sums.slice(2 * orders);
  if (matches.every((count) => count === 0) || totals.includes(0)) return 0;
  let smoothing = 1;
  let logs = 0;
  matches.forEach((count, order) => {
    if (count === 0) smoothing *= 2;
    logs += Math.log(count === 0 ? 1 / (smoothing * totals[order]) : count / totals[order]);
  });
  const brevity = length < wanted ? Math.exp(1 - wanted / length) : 1;
  return 100 * brevity * Math.exp(logs / orders);
}

/** Words as mteval-v13a splits them: punctuation apart, except within numbers. */
export function tokenize13a(text: string): string[] {
  const plain = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${plain} `
    .replaceAll(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replaceAll(/([^0-9])([.,])/gu, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/gu, ' $1 $2')
    .replaceAll(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}
