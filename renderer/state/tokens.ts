import type { GeneratedToken } from '../../preload/contract/index.ts';

/** A stretch of tokens that is drawn as one: only the last block of a run ever changes. */
export interface TokenBlock {
  /** Index of the first token within the run. */
  readonly start: number;
  readonly tokens: readonly GeneratedToken[];
}

/** Short enough that drawing one block anew costs little, long enough that there are few. */
const blockLength = 64;

const isFull = ({ tokens }: TokenBlock): boolean =>
  tokens.length >= blockLength || (tokens.at(-1)?.text.endsWith('\n') ?? false);

/**
 * The blocks with `added` behind them. Full blocks keep their identity, so that views can skip
 * them; a block ends at a line break, so that a paragraph can be laid out on its own.
 */
export function appendTokens(
  blocks: readonly TokenBlock[],
  added: readonly GeneratedToken[],
): readonly TokenBlock[] {
  if (added.length === 0) return blocks;
  const result = [...blocks];
  let last = result.pop() ?? { start: 0, tokens: [] };
  let open = [...last.tokens];
  for (const token of added) {
    if (isFull({ start: last.start, tokens: open })) {
      result.push(open.length === last.tokens.length ? last : { start: last.start, tokens: open });
      last = { start: last.start + open.length, tokens: [] };
      open = [];
    }
    open.push(token);
  }
  result.push({ start: last.start, tokens: open });
  return result;
}

/** All tokens of a run in order. */
export const allTokens = (blocks: readonly TokenBlock[]): GeneratedToken[] =>
  blocks.flatMap((block) => block.tokens);

/** The token at an index of the run, or undefined behind its end. */
export function tokenAt(blocks: readonly TokenBlock[], index: number): GeneratedToken | undefined {
  const block = blocks.findLast(({ start }) => start <= index);
  return block?.tokens[index - block.start];
}

/** The tokens from one index to before another. */
export const tokensBetween = (
  blocks: readonly TokenBlock[],
  start: number,
  end: number,
): readonly GeneratedToken[] =>
  blocks
    .filter((block) => block.start < end && block.start + block.tokens.length > start)
    .flatMap((block) => block.tokens.slice(Math.max(0, start - block.start), end - block.start));

/** Indices of the tokens that begin a paragraph: the first, and those behind a line break. */
export const paragraphStarts = (blocks: readonly TokenBlock[]): number[] => [
  0,
  ...blocks
    .filter((_, index) => blocks[index - 1]?.tokens.at(-1)?.text.endsWith('\n'))
    .map(({ start }) => start),
];

/** Text of all tokens, as streamed. */
export const textOf = (blocks: readonly TokenBlock[]): string =>
  blocks.map(({ tokens }) => tokens.map(({ text }) => text).join('')).join('');
