import { LatheError } from '../../preload/contract/errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { distributionOf, klDivergence, logProbability } from './distribution.ts';
import { readRows, type TextModel } from './logitSource.ts';
import { windowsOf, type WindowOptions } from './windows.ts';

/** What one model said about the tokens of a text, all but the first, which nothing comes before. */
export interface TokenReadings {
  readonly ids: Int32Array;
  /** −ln p of each token, float64. */
  readonly nats: Float64Array;
  /** The most probable token at each position, and its probability. */
  readonly top: Int32Array;
  readonly confidence: Float64Array;
}

/** A text read by a model, and by the base where there is one. */
export interface DocumentReading {
  /** UTF-8 bytes that the scored tokens stand for. */
  readonly bytes: number;
  readonly model: TokenReadings;
  readonly base: TokenReadings | null;
  /** KL(base ‖ model) at each position, in nats; empty without a base. */
  readonly kl: Float64Array;
}

interface ReadOptions extends WindowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Fraction of the text read. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * Reads a text in windows; every token but the first is scored once. The logits of both models are
 * compared as they come, a piece of a window at a time. Throws `usage` where the models do not see
 * the same tokens.
 */
export async function readDocument(
  model: TextModel,
  base: TextModel | null,
  text: string,
  { signal, onProgress, ...windows }: ReadOptions,
): Promise<DocumentReading> {
  const ids = startedIds(model.tokenizer, text);
  if (base !== null) {
    const others = { ids: startedIds(base.tokenizer, text), ...sizeOf(base) };
    checkSameTokens({ ids, ...sizeOf(model) }, others);
  }
  const length = Math.max(0, ids.length - 1);
  const mine = emptyReadings(ids.slice(1));
  const theirs = base === null ? null : emptyReadings(ids.slice(1));
  const kl = new Float64Array(base === null ? 0 : length);
  const sources = base === null ? [model.decoder] : [model.decoder, base.decoder];
  for (const { start, scored, end } of windowsOf(ids.length, windows)) {
    await readRows(
      sources,
      ids.slice(start, end - 1),
      (row, [logits, baseLogits]) => {
        const at = start + row;
        // What a row says is about the token behind it.
        if (at + 1 < scored) return;
        const own = distributionOf(logits);
        note(mine, at, own);
        if (theirs === null) return;
        const other = distributionOf(baseLogits);
        note(theirs, at, other);
        kl[at] = klDivergence(other, own);
      },
      signal,
    );
    onProgress?.(end / ids.length);
  }
  const bytes = scoredBytes(model.tokenizer, text, ids);
  return { bytes, model: mine, base: theirs, kl };
}

/**
 * Token ids of a text with what the model expects before it. Where its tokenizer adds nothing, the
 * token that begins or ends texts is put before, so that the first token of the text is scored too.
 */
export function startedIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text);
  const plain = tokenizer.encode(text, { specials: false });
  if (ids.length > plain.length) return ids;
  const [end] = tokenizer.endOfText;
  const before = tokenizer.beginOfText ?? end;
  return before === undefined ? ids : [before, ...ids];
}

/** UTF-8 bytes of a text without those of a first token that was not scored. */
function scoredBytes(tokenizer: Tokenizer, text: string, ids: readonly number[]): number {
  const bytes = new TextEncoder().encode(text).length;
  const isAdded = ids.length > tokenizer.encode(text, { specials: false }).length;
  return isAdded || ids.length === 0 ? bytes : bytes - tokenizer.token(ids[0]).bytes.length;
}

const sizeOf = ({ decoder: { vocabularySize } }: TextModel): { vocabularySize: number } => ({
  vocabularySize,
});

/** A text as one model reads it. */
interface TokenizedText {
  readonly vocabularySize: number;
  readonly ids: readonly number[];
}

/** Throws `usage` where two models do not see the same tokens in the same text. */
export function checkSameTokens(one: TokenizedText, other: TokenizedText): void {
  const sizes = [one.vocabularySize, other.vocabularySize];
  if (sizes[0] === sizes[1] && one.ids.length === other.ids.length) {
    if (one.ids.every((id, at) => id === other.ids[at])) return;
  }
  throw otherTokens(sizes);
}

/** Says that two models do not have the same tokens, and how many each has. */
export const otherTokens = (sizes: readonly number[]): LatheError =>
  new LatheError(
    'usage',
    `models are compared token by token, and these two do not have the same tokens: vocabularies of ${sizes.join(' and ')}`,
    { value: sizes.join(' and '), next: ['choose-model'] },
  );

function emptyReadings(ids: readonly number[]): TokenReadings {
  return {
    ids: Int32Array.from(ids),
    nats: new Float64Array(ids.length),
    top: new Int32Array(ids.length),
    confidence: new Float64Array(ids.length),
  };
}

function note(
  readings: TokenReadings,
  at: number,
  distribution: ReturnType<typeof distributionOf>,
): void {
  readings.nats[at] = -logProbability(distribution, readings.ids[at]);
  readings.top[at] = distribution.top;
  readings.confidence[at] = Math.exp(logProbability(distribution, distribution.top));
}
