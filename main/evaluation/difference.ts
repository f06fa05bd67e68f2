import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from '../inference/decoder.ts';
import { distributionOf, klDivergence, logProbability, type Distribution } from './distribution.ts';
import { readRows } from './logitSource.ts';

/** What a model says behind each token of a text. */
export interface Opinions {
  /** ln p of the token that follows, float64; NaN behind the last. */
  readonly logprobs: Float64Array;
  /** The most probable token, and ln p of it. */
  readonly top: Int32Array;
  readonly topLogprobs: Float64Array;
}

/** One text read by two models. */
export interface PairReading {
  /** The prompt, and what the base wrote behind it. */
  readonly ids: readonly number[];
  readonly promptTokens: number;
  readonly base: Opinions;
  readonly variant: Opinions;
  /** KL(base ‖ variant) behind each token, in nats. */
  readonly kl: Float64Array;
  /** Index of the first token written that the variant would have chosen otherwise. */
  readonly firstDivergence: number | null;
}

interface PairOptions {
  /** The base writes so many tokens at most: it also stops at the end of its text or context. */
  readonly newTokens: number;
  readonly endOfText: ReadonlySet<number>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** What `readPair` asks of a model. */
type Reader = Pick<
  Decoder,
  'capacity' | 'vocabularySize' | 'rewind' | 'logits' | 'prefill' | 'step'
>;

/**
 * The base goes on behind a prompt greedily, and both models say what they think of every token.
 * Behind the prompt and behind the tokens written, both are run exactly as when they generate (a
 * prefill, then step by step), so that they part where their own greedy texts do. A token that ends
 * the text is the last one written. `context_overflow` where the prompt does not fit, `cancelled`.
 */
export async function readPair(
  base: Reader,
  variant: Reader,
  prompt: readonly number[],
  { newTokens, endOfText, signal, onProgress }: PairOptions,
): Promise<PairReading> {
  const room = Math.min(base.capacity, variant.capacity);
  if (prompt.length > room) throw tooLong(prompt.length, room);
  const most = Math.min(prompt.length + newTokens, room);
  const sides = [opinionsFor(most), opinionsFor(most)];
  const kl = new Float64Array(most);
  const ids = [...prompt];
  const note = (at: number, rows: readonly Float32Array[]): void => {
    const both = rows.map(distributionOf);
    sides.forEach((side, index) => noteTop(side, at, both[index]));
    kl[at] = klDivergence(both[0], both[1]);
    if (at + 1 < ids.length) sides.forEach((side, i) => noteNext(side, at, both[i], ids[at + 1]));
    onProgress?.(at / most);
  };
  const models = [base, variant];
  if (prompt.length > 1) {
    for (const model of models) model.rewind(0);
    const visit = (at: number, rows: readonly Float32Array[]): void => {
      if (at < prompt.length - 1) note(at, rows);
    };
    await readRows(models, prompt, visit, signal);
  }
  for (const model of models) model.rewind(0);
  let rows = [await base.prefill(prompt, { signal }), await variant.prefill(prompt, { signal })];
  for (let at = prompt.length - 1; ; at++) {
    const next = distributionOf(rows[0]).top;
    const isLast = ids.length === most || (at >= prompt.length && endOfText.has(ids[at]));
    if (!isLast) ids.push(next);
    note(at, rows);
    if (isLast) break;
    refuseCancelled(signal);
    rows = [await base.step(next), await variant.step(next)];
  }
  const [own, other] = sides.map((side) => cutTo(side, ids.length));
  return {
    ids,
    promptTokens: prompt.length,
    base: own,
    variant: other,
    kl: kl.slice(0, ids.length),
    firstDivergence: divergenceOf(ids, prompt.length, other.top),
  };
}

/** The logits behind `ids[at]`, read as generation would: a prefill of the prompt, then steps. */
export async function logitsBehind(
  model: Pick<Decoder, 'rewind' | 'prefill' | 'step'>,
  ids: readonly number[],
  promptTokens: number,
  at: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  model.rewind(0);
  const first = Math.min(promptTokens, at + 1);
  let logits = await model.prefill(ids.slice(0, first), { signal });
  for (const id of ids.slice(first, at + 1)) {
    refuseCancelled(signal);
    logits = await model.step(id);
  }
  return logits;
}

const tooLong = (tokens: number, room: number): LatheError =>
  new LatheError(
    'context_overflow',
    `the prompt is longer than the context: ${tokens} tokens, both models read ${room}`,
    { value: String(tokens), next: ['shorten-prompt'] },
  );

function refuseCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LatheError('cancelled', 'the comparison was cancelled');
}

function divergenceOf(ids: readonly number[], from: number, top: Int32Array): number | null {
  for (let at = from; at < ids.length; at++) if (top[at - 1] !== ids[at]) return at;
  return null;
}

function opinionsFor(length: number): Opinions {
  return {
    logprobs: new Float64Array(length).fill(NaN),
    top: new Int32Array(length),
    topLogprobs: new Float64Array(length),
  };
}

function noteTop({ top, topLogprobs }: Opinions, at: number, says: Distribution): void {
  top[at] = says.top;
  topLogprobs[at] = logProbability(says, says.top);
}

function noteNext({ logprobs }: Opinions, at: number, says: Distribution, next: number): void {
  logprobs[at] = logProbability(says, next);
}

const cutTo = ({ logprobs, top, topLogprobs }: Opinions, length: number): Opinions => ({
  logprobs: logprobs.slice(0, length),
  top: top.slice(0, length),
  topLogprobs: topLogprobs.slice(0, length),
});
