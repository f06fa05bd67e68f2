import { LatheError } from '../../preload/contract/errors.ts';
import { readDocument, startedIds, type TokenReadings } from './documents.ts';
import type { TextModel } from './logitSource.ts';
import { decileLosses, decileSums, frequencyDeciles } from './rareTokens.ts';

/** What a model lost on the tokens of a text. */
interface ModelLosses {
  /** −ln p of each token but the first, in nats. */
  readonly nats: Float32Array<ArrayBuffer>;
  /** Mean of them per decile of frequency, the rarest first; null where one has no tokens. */
  readonly byDecile: (number | null)[];
}

/** Losses of a model on a text, and of the base it is compared with. */
export interface TextLosses {
  /** All tokens; the first is not scored. */
  readonly ids: number[];
  /** Decile of frequency within the text, 0 the rarest, of each token. */
  readonly deciles: number[];
  readonly model: ModelLosses;
  readonly base: ModelLosses | null;
  /** KL(base ‖ model) at each scored token, in nats. */
  readonly kl: Float32Array<ArrayBuffer> | null;
}

/** Reads a text token by token; `usage` where it has no token that could be scored. */
export async function textLosses(
  model: TextModel,
  base: TextModel | null,
  text: string,
  options: Parameters<typeof readDocument>[3],
): Promise<TextLosses> {
  const ids = startedIds(model.tokenizer, text);
  if (ids.length < 2) {
    const message = `a text needs two tokens for one to be scored: ${ids.length}`;
    throw new LatheError('usage', message, { value: String(ids.length) });
  }
  const reading = await readDocument(model, base, text, options);
  const decileOf = frequencyDeciles([reading.model.ids]);
  const lossesOf = (readings: TokenReadings): ModelLosses => ({
    nats: Float32Array.from(readings.nats),
    byDecile: decileLosses(decileSums(readings, decileOf)),
  });
  return {
    ids,
    deciles: ids.map((id) => decileOf.get(id) ?? 0),
    model: lossesOf(reading.model),
    base: reading.base && lossesOf(reading.base),
    kl: reading.base && Float32Array.from(reading.kl),
  };
}
