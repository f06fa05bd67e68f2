/**
 * A text for comparing answers: lower case, without punctuation, articles and extra space, as SQuAD
 * does (Rajpurkar et al. 2016).
 */
function normalized(text: string): string[] {
  const words = text
    .toLowerCase()
    .replaceAll(/[!-/:-@[-`{-~]/g, '')
    .replaceAll(/\b(a|an|the)\b/g, ' ')
    .split(/\s+/);
  return words.filter((word) => word !== '');
}

/** 1 where the texts are the same but for case, punctuation and articles, else 0. */
export function exactMatch(given: string, expected: string): number {
  return normalized(given).join(' ') === normalized(expected).join(' ') ? 1 : 0;
}

/** Harmonic mean of precision and recall over words, 0 … 1; 1 where both texts have none. */
export function wordF1(given: string, expected: string): number {
  const [own, wanted] = [normalized(given), normalized(expected)];
  if (own.length === 0 || wanted.length === 0) return own.length === wanted.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of own) {
    const count = left.get(word) ?? 0;
    if (count > 0) common++;
    left.set(word, count - 1);
  }
  return (2 * common) / (own.length + wanted.length);
}
