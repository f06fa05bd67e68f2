import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from '../inference/decoder.ts';
import { logSumExp } from '../inference/sampling/logSoftmax.ts';
import { createRandom } from '../numeric/random.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** How a text is read. Scores of different windows or strides are not to be compared. */
export interface PerplexityOptions {
  /** Tokens read at once, at most. */
  readonly window: number;
  /** New tokens in every window but the first; the rest of it is context that was scored before. */
  readonly stride: number;
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
export function perplexityProtocol({ window, stride }: PerplexityOptions): string {
  return `sliding-1/window=${window}/stride=${stride}`;
}

/**
 * Scores a text, with the tokens that the model expects before it. Each token is scored once, with
 * at least `window - stride` tokens of context behind the first window.
 */
export async function scoreText(
  decoder: Decoder,
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
  let scored = 1;
  while (scored < ids.length) {
    if (signal?.aborted) throw new LatheError('cancelled', 'the measurement was cancelled');
    const end = scored === 1 ? Math.min(window, ids.length) : Math.min(scored + stride, ids.length);
    const start = Math.max(0, end - window);
    decoder.rewind(0);
    const { data } = await decoder.logits(ids.slice(start, end - 1));
    for (let at = scored; at < end; at++) {
      nats -= logProbability(data, at - 1 - start, decoder.vocabularySize, ids[at]);
    }
    scored = end;
  }
  decoder.rewind(0);
  return { nats, tokens: Math.max(0, ids.length - 1), bytes };
}

/** ln p of a token at a position of logits [positions, vocabulary]. */
function logProbability(
  logits: Float32Array,
  position: number,
  vocabularySize: number,
  id: number,
): number {
  const start = position * vocabularySize;
  return logits[start + id] - logSumExp(logits.subarray(start, start + vocabularySize));
}

/** Bits per UTF-8 byte over all texts: independent of the tokenizer. */
export function bitsPerByte(scores: readonly TextScore[]): number {
  return total(scores, 'nats') / Math.LN2 / total(scores, 'bytes');
}

/** e to the mean loss of a token, over all texts. */
export function perplexity(scores: readonly TextScore[]): number {
  return Math.exp(total(scores, 'nats') / total(scores, 'tokens'));
}

/**
 * The middle 95 % of a figure over resampled texts (percentile bootstrap): how much it would differ
 * on other texts of the kind.
 */
export function bootstrapInterval<Score>(
  scores: readonly Score[],
  figure: (scores: readonly Score[]) => number,
  { samples = 1000, seed = 0 }: { samples?: number; seed?: number } = {},
): { low: number; high: number } {
  const random = createRandom(seed);
  const figures = Array.from({ length: samples }, () =>
    figure(scores.map(() => scores[Math.floor(random.next() * scores.length)])),
  ).toSorted((a, b) => a - b);
  const at = (share: number): number => figures[Math.round(share * (samples - 1))];
  return { low: at(0.025), high: at(0.975) };
}

const total = (scores: readonly TextScore[], of: keyof TextScore): number =>
  scores.reduce((sum, score) => sum + score[of], 0);
