import { checkSameTokens, otherTokens } from '../../../evaluation/documents.ts';
import { readPair, type PairReading } from '../../../evaluation/difference.ts';
import { encodePrompt } from '../../../inference/prompt.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { graphOf } from '../graph.ts';
import { openLoaded, type LoadedModel } from '../loaded.ts';
import type { LoadRequest } from '../source.ts';
import type { Captures } from './captures.ts';
import type { PairRequest } from './compareContract.ts';

/** A text that two models have read, and the tokenizer of both. */
export interface BothRead {
  readonly reading: PairReading;
  readonly tokenizer: Tokenizer;
}

/** Two models that are loaded for as long as they are compared. */
interface LoadedPair {
  readonly base: LoadedModel;
  readonly variant: LoadedModel;
}

/** Tells what is done and which share of it. */
export type Report = (stage: string, fraction: number) => void;

/**
 * Lets two models read a text, unless it is the one that they read last: who asks which layers are to
 * blame has mostly just seen the difference.
 */
export async function readBoth(
  captures: Captures,
  request: PairRequest,
  report: Report,
  signal: AbortSignal,
): Promise<BothRead> {
  const { base, variant, prompt, newTokens } = request;
  const key = JSON.stringify([base, variant, prompt, newTokens]);
  if (captures.lastPair?.key === key) return captures.lastPair.both;
  const both = await withPair(request, report, async (pair) => ({
    reading: await comparePair(pair, request, report, signal),
    tokenizer: pair.base.tokenizer,
  }));
  captures.lastPair = { key, both };
  return both;
}

/** Loads two models and frees them when `use` has ended. */
async function withPair<T>(
  { base, variant }: Pick<PairRequest, 'base' | 'variant'>,
  report: Report,
  use: (pair: LoadedPair) => Promise<T>,
): Promise<T> {
  report('loading the base', 0);
  const first = await load(base);
  try {
    report('loading the variant', 0);
    const second = await load(variant);
    try {
      return await use({ base: first, variant: second });
    } finally {
      await second.decoder.close();
    }
  } finally {
    await first.decoder.close();
  }
}

const load = async (source: LoadRequest): Promise<LoadedModel> =>
  openLoaded(source, await graphOf(source));

/** Lets both models read a prompt and what the base writes behind it; see `readPair`. */
async function comparePair(
  { base, variant }: LoadedPair,
  { prompt, newTokens }: Pick<PairRequest, 'prompt' | 'newTokens'>,
  report: Report,
  signal: AbortSignal,
): Promise<PairReading> {
  const ids = await sameTokens(base, variant, prompt);
  const reading = await readPair(base.decoder, variant.decoder, ids, {
    newTokens,
    endOfText: base.tokenizer.endOfText,
    signal,
    onProgress: (fraction) => report('reading with both models', fraction),
  });
  // Vocabularies of one size may still be different ones.
  checkSpelling(base, variant, reading.ids);
  return reading;
}

async function sameTokens(
  base: LoadedModel,
  variant: LoadedModel,
  prompt: PairRequest['prompt'],
): Promise<number[]> {
  const read = async ({ tokenizer, decoder: { vocabularySize } }: LoadedModel) => ({
    vocabularySize,
    ids: await encodePrompt(tokenizer, prompt),
  });
  const [one, other] = [await read(base), await read(variant)];
  checkSameTokens(one, other);
  return one.ids;
}

/** Refuses models that write the same ids in other letters. */
function checkSpelling(base: LoadedModel, variant: LoadedModel, ids: readonly number[]): void {
  const isSame = [...new Set(ids)].every(
    (id) => spelling(base.tokenizer, id) === spelling(variant.tokenizer, id),
  );
  if (isSame) return;
  throw otherTokens([base.decoder.vocabularySize, variant.decoder.vocabularySize]);
}

const spelling = (tokenizer: Tokenizer, id: number): string => tokenizer.token(id).bytes.join();
