import { LatheError } from '../../preload/contract/errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { distributionOf, logProbability } from './distribution.ts';
import { readRows, type LogitSource } from './logitSource.ts';
import { windowsOf, type WindowOptions } from './windows.ts';

export interface PerplexityOptions extends WindowOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a model says about one text, summed, so that texts can be added up by tokens. */
export interface TextScore {
  /** Σ -ln p over the tokens, float64. */
  readonly nats: number;
  /** Tokens scored: all but the first, which nothing comes before. */
  readonly tokens: number;
  /** UTF-8 bytes that the scored tokens stand for. */
  readonly bytes: number;
}

/** Names the protocol in records: sliding windows, token-weighted, every token scored once. */
export function perplexityProtocol({ window, stride }: WindowOptions): string {
  return `sliding-1/window=${window}/stride=${stride}`;
}

/**
 * Scores a text, with the tokens that the model expects before it. Each token is scored once, with
 * at least `window - stride` tokens of context behind the first window.
 */
export async function scoreText(
  decoder: LogitSource,
  tokenizer: Tokenizer,
  text: string,
  options: PerplexityOptions,
): Promise<TextScore> {
  const { window, stride, signal } = options;
  if (!(stride >= 1 && stride < window && window <= decoder.capacity)) {
    const problem = `a window must fit the context of ${decoder.capacity} tokens, and a stride the window`;
    throw new LatheError('usage', `${problem}: ${window}, ${stride}`);
  }
  const ids = tokenizer.encode(text);
  const plain = tokenizer.encode(text, { specials: false });
  const known = new TextEncoder().encode(text).length;
  const added = ids.length > plain.length;
  const bytes = ids.length < 2 ? 0 : added ? known : known - tokenizer.token(ids[0]).bytes.length;
  let nats = 0;
  for (const { start, scored, end } of windowsOf(ids.length, { window, stride })) {
    const visit = (row: number, [logits]: readonly Float32Array[]): void => {
      const at = start + row + 1;
      if (at >= scored) nats -= logProbability(distributionOf(logits), ids[at]);
    };
    await readRows([decoder], ids.slice(start, end - 1), visit, signal);
  }
  decoder.rewind(0);
  return { nats, tokens: Math.max(0, ids.length - 1), bytes };
}

/** Bits per UTF-8 byte over all texts: independent of the tokenizer. */
export function bitsPerByte(scores: readonly TextScore[]): number {
  return total(scores, 'nats') / Math.LN2 / total(scores, 'bytes');
}

/** e to the mean loss of a token, over all texts. */
export function perplexity(scores: readonly TextScore[]): number {
  return Math.exp(total(scores, 'nats') / total(scores, 'tokens'));
}

const total = (scores: readonly TextScore[], of: keyof TextScore): number =>
  scores.reduce((sum, score) => sum + score[of], 0);
