import type { Token } from '../../preload/contract/index.ts';

/** A stretch of a text at whose ends, and nowhere within, both tokenizers cut. */
export interface Segment {
  /** Indices of its tokens, the first and the one behind the last, of either tokenizer. */
  readonly first: readonly [start: number, end: number];
  readonly second: readonly [start: number, end: number];
  /** Whether both make one token of it. */
  readonly same: boolean;
}

/**
 * Two cuts of one text side by side, aligned by bytes. Tokens that a tokenizer adds before the text
 * stand in a segment of their own.
 */
export function alignTokens(
  text: string,
  first: readonly Token[],
  second: readonly Token[],
): Segment[] {
  const bytes = new TextEncoder().encode(text);
  const a = cutsOf(bytes, first);
  const b = cutsOf(bytes, second);
  const segments: Segment[] = [];
  const add = (from: readonly number[], to: readonly number[]): void => {
    const [i = 0, j = 0] = from;
    const [iEnd = 0, jEnd = 0] = to;
    const same = iEnd - i === 1 && jEnd - j === 1;
    segments.push({ first: [i, iEnd], second: [j, jEnd], same });
  };
  if (a.lead + b.lead > 0) add([0, 0], [a.lead, b.lead]);
  let from = [a.lead, b.lead];
  let [i, j] = [a.lead, b.lead];
  while (i < first.length && j < second.length) {
    const ends = [a.ends[i] ?? 0, b.ends[j] ?? 0] as const;
    if (ends[0] <= ends[1]) i += 1;
    if (ends[1] <= ends[0]) j += 1;
    if (ends[0] === ends[1]) {
      add(from, [i, j]);
      from = [i, j];
    }
  }
  if ((from[0] ?? 0) < first.length || (from[1] ?? 0) < second.length)
    add(from, [first.length, second.length]);
  return segments;
}

interface Cuts {
  /** How many tokens stand before the text. */
  readonly lead: number;
  /** Byte of the text at which each token ends. */
  readonly ends: readonly number[];
}

function cutsOf(text: Uint8Array, tokens: readonly Token[]): Cuts {
  // A tokenizer that changes the text is aligned by how many bytes its tokens have.
  const begin = Math.max(
    0,
    indexOf(
      tokens.flatMap(({ bytes }) => bytes),
      text,
    ),
  );
  let end = -begin;
  const ends = tokens.map(({ bytes }) => (end += bytes.length));
  const lead = ends.findIndex((byte) => byte > 0);
  return { lead: lead === -1 ? 0 : lead, ends };
}

/** Where one row of bytes begins within another; −1 where it does not. */
function indexOf(bytes: readonly number[], part: Uint8Array): number {
  // What is added before a text is short.
  const last = Math.min(bytes.length - part.length, 256);
  for (let start = 0; start <= last; start += 1) {
    if (part.every((byte, index) => bytes[start + index] === byte)) return start;
  }
  return -1;
}
