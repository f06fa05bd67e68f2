import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from '../inference/decoder.ts';
import { logSumExp } from '../inference/sampling/logSoftmax.ts';
import { largestPositions } from '../inference/sampling/select.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { checkToken } from './limits.ts';
import type { TextUnit } from './textUnits.ts';

/** What a model says behind a text. */
export interface Answer {
  /** The token explained, and ln p of it. */
  readonly target: number;
  readonly logprob: number;
}

type Reader = Pick<Decoder, 'vocabularySize' | 'rewind' | 'prefill'>;

/** The most probable token behind a text, or another one. `usage` for one that there is not. */
export async function answerBehind(
  model: Reader,
  ids: readonly number[],
  target: number | undefined,
  signal?: AbortSignal,
): Promise<Answer> {
  if (target !== undefined) checkToken(model, target);
  model.rewind(0);
  const logits = await model.prefill(ids, { signal });
  const explained = target ?? largestPositions(logits, logits.length, 1)[0];
  return { target: explained, logprob: logits[explained] - logSumExp(logits) };
}

interface EffectOptions {
  readonly target: number;
  /** ln p of the target behind the whole text. */
  readonly logprob: number;
  /**
   * What stands in the place of each token of a unit; left out, they are taken out and the text
   * closes up, unless nothing would be left.
   */
  readonly instead?: number | undefined;
  readonly fallback: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * How much ln p of the target falls without each unit of a text. The last unit is tried first, so
 * that what stands before the unit at hand is in the cache already and only the rest is read.
 */
export async function unitEffects(
  model: Reader,
  ids: readonly number[],
  units: readonly TextUnit[],
  { target, logprob, instead, fallback, signal, onProgress }: EffectOptions,
): Promise<number[]> {
  const effects = units.map(() => 0);
  model.rewind(0);
  await model.prefill(ids, { signal });
  for (const [done, at] of [...units.keys()].toReversed().entries()) {
    if (signal?.aborted) throw new LatheError('cancelled', 'the attribution was cancelled');
    const { start, end } = units[at];
    const left = ids.length - (end - start);
    const filler = instead ?? (left === 0 ? fallback : undefined);
    const middle = filler === undefined ? [] : ids.slice(start, end).map(() => filler);
    const rest = [...middle, ...ids.slice(end)];
    // Behind nothing new, the token before is read once more for what it says.
    const from = rest.length === 0 ? start - 1 : start;
    model.rewind(from);
    const logits = await model.prefill([...ids.slice(from, start), ...rest], { signal });
    effects[at] = logprob - (logits[target] - logSumExp(logits));
    onProgress?.((done + 1) / units.length);
  }
  return effects;
}

/**
 * The token of an empty place: a space where that is one token, else a line break, else the one
 * that stands for what is unknown, else the first that a space begins with.
 */
export function emptyToken(tokenizer: Tokenizer): number {
  const [space, line] = [' ', '\n'].map((text) => tokenizer.encode(text, { specials: false }));
  if (space.length === 1) return space[0];
  if (line.length === 1) return line[0];
  for (let id = 0; id < tokenizer.vocabularySize; id++) {
    if (tokenizer.fallback(id) === 'unknown') return id;
  }
  return space[0] ?? 0;
}

/** The share of attention that units have in a row over all tokens. */
export function unitShares(row: ArrayLike<number>, units: readonly TextUnit[]): number[] {
  return units.map(({ start, end }) => {
    let sum = 0;
    for (let at = start; at < end; at++) sum += row[at];
    return sum;
  });
}
