import { checkSameTokens, otherTokens } from '../../../evaluation/documents.ts';
import { readPair, type PairReading } from '../../../evaluation/difference.ts';
import { encodePrompt } from '../../../inference/prompt.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { graphOf } from '../graph.ts';
import { openLoaded, type LoadedModel } from '../loaded.ts';
import type { LoadRequest } from '../source.ts';
import type { PairRequest } from './compareContract.ts';

/** Two models that are loaded for as long as they are compared. */
export interface LoadedPair {
  readonly base: LoadedModel;
  readonly variant: LoadedModel;
}

/** Tells what is done and which share of it. */
export type Report = (stage: string, fraction: number) => void;

/** Loads two models and frees them when `use` has ended. */
export async function withPair<T>(
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
export async function comparePair(
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
