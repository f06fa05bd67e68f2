import type { Token } from '../../preload/contract/models.ts';

/** Tokens [start, end) that count as one. */
export interface TextUnit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Where a text's own tokens stand among those that a tokenizer made of it and put around it:
 * [from, to), all of them where the text's own are not found in one piece.
 */
export function ownTokens(ids: readonly number[], plain: readonly number[]): [number, number] {
  for (let from = 0; from + plain.length <= ids.length; from++) {
    if (plain.every((id, at) => id === ids[from + at])) return [from, from + plain.length];
  }
  return [0, ids.length];
}

/**
 * The tokens from `from` to `to` in units: single ones, words with the space before them, or
 * sentences (UAX 29). A token across a border belongs to the unit that it ends in; one that shows
 * nothing yet goes with the token that completes its character.
 */
export function textUnits(
  tokens: readonly Token[],
  [from, to]: readonly [number, number],
  level: 'token' | 'word' | 'sentence',
): TextUnit[] {
  const some = tokens.slice(from, to);
  if (level === 'token') {
    return some.map(({ text }, at) => ({ start: from + at, end: from + at + 1, text }));
  }
  const ends = unitEnds(some.map(({ text }) => text).join(''), level);
  const owners = ownersOf(some, ends);
  const units: TextUnit[] = [];
  for (const [at, { text }] of some.entries()) {
    const last = units.at(-1);
    if (last !== undefined && owners[at] === owners[at - 1]) {
      units[units.length - 1] = { ...last, end: from + at + 1, text: last.text + text };
    } else {
      units.push({ start: from + at, end: from + at + 1, text });
    }
  }
  return units;
}

/** The unit that each token belongs to, by where units end in the text. */
function ownersOf(tokens: readonly Token[], ends: readonly number[]): number[] {
  const owners: number[] = [];
  let shown = 0;
  let unit = 0;
  for (const { text } of tokens) {
    shown += text.length;
    while (unit < ends.length - 1 && shown > ends[unit]) unit++;
    owners.push(unit);
  }
  // From behind: what shows nothing yet goes with what comes.
  for (let at = tokens.length - 2; at >= 0; at--) {
    if (tokens[at].text === '') owners[at] = owners[at + 1];
  }
  return owners;
}

/** Where units of a text end: behind each piece that is not blank. */
function unitEnds(text: string, granularity: 'word' | 'sentence'): number[] {
  const ends: number[] = [];
  for (const { segment, index } of new Intl.Segmenter('und', { granularity }).segment(text)) {
    if (segment.trim() !== '') ends.push(index + segment.trimEnd().length);
  }
  return ends.length === 0 ? [text.length] : ends;
}
