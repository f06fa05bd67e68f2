import { common, nGrams } from './nGrams.ts';

/** sacreBLEU's way of saying how a score was made. */
export const chrfSignature = 'chrF2 nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no';

const orders = 6;
/** Recall weighs β² times as much as precision. */
const defaultBeta = 2;

/**
 * What chrF needs of a text and its reference, to be added up over texts: per order 1 … 6, runs of
 * characters of the text, of the reference, and those in both. White space is left out.
 */
export function chrfSums(given: string, expected: string): number[] {
  const own = Array.from(given.replaceAll(/\s+/g, ''));
  const wanted = Array.from(expected.replaceAll(/\s+/g, ''));
  return Array.from({ length: orders }, (_, at) => {
    const order = at + 1;
    const shared = common(nGrams(own, order), nGrams(wanted, order));
    const all = (parts: readonly string[]): number => Math.max(0, parts.length - order + 1);
    return [all(own), all(wanted), shared];
  }).flat();
}

/**
 * chrF, 0 … 100 (Popović 2015): F-score of precision and recall averaged over the orders that both
 * sides have, as sacreBLEU computes it by default.
 */
export function chrf(sums: readonly number[], beta = defaultBeta): number {
  let precision = 0;
  let recall = 0;
  let used = 0;
  for (let at = 0; at < sums.length; at += 3) {
    const [own, wanted, shared] = sums.slice(at, at + 3);
    if (own === 0 || wanted === 0) continue;
    precision += shared / own;
    recall += shared / wanted;
    used++;
  }
  if (precision + recall === 0) return 0;
  const weight = beta ** 2;
  return (100 * (1 + weight) * precision * recall) / (weight * precision + recall) / used;
}
