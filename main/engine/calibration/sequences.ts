import { LatheError } from '../../../preload/contract/errors.ts';
import type { CalibrationOptions } from '../../../preload/contract/recipe.ts';
import { createRandom, type Random } from '../../numeric/random.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';

/** Pieces of a text as tokens, all of one length. */
export interface Sequences {
  readonly ids: readonly (readonly number[])[];
  readonly length: number;
  /** Tokens of the whole text. */
  readonly available: number;
}

/** Hidden states of all tokens are kept; two gigabytes of them are more than any method needs. */
const MOST_STATE_BYTES = 2 ** 31;

/**
 * Refuses what cannot work whatever the text says: sequences longer than the context, or so many
 * tokens that their hidden states would not fit.
 */
export function checkSequences(
  { sequences, length }: Pick<CalibrationOptions, 'sequences' | 'length'>,
  { contextLength, hiddenSize }: { contextLength: number; hiddenSize: number },
): void {
  if (length > contextLength) {
    throw new LatheError(
      'context_overflow',
      `calibration sequences must fit the context of ${contextLength} tokens: ${length}`,
      { value: String(length) },
    );
  }
  const bytes = 4 * sequences * length * hiddenSize;
  if (bytes > MOST_STATE_BYTES) {
    throw new LatheError(
      'memory_limit',
      `calibration with ${sequences} × ${length} tokens needs more than ${MOST_STATE_BYTES} bytes: ${bytes}`,
      { value: String(sequences * length) },
    );
  }
}

/**
 * Cuts `sequences` pieces of `length` tokens out of a text, each beginning with the tokens that the
 * model expects before a text: without them, activations at the first position are unlike any that
 * the model sees. Pieces do not overlap while the text is long enough. `usage` where it is shorter
 * than one piece.
 */
export function chooseSequences(
  tokenizer: Tokenizer,
  text: string,
  { sequences, length, seed }: Omit<CalibrationOptions, 'data'>,
): Sequences {
  const prefix = prefixOf(tokenizer);
  const tokens = tokenizer.encode(text, { specials: false });
  const size = length - prefix.length;
  if (size < 1 || tokens.length < size) {
    throw new LatheError(
      'usage',
      `calibration text is shorter than one sequence of ${length} tokens: ${tokens.length}`,
      { value: String(tokens.length) },
    );
  }
  const random = createRandom(seed);
  const pieces = Math.floor(tokens.length / size);
  const starts =
    pieces >= sequences
      ? shuffled(pieces, random)
          .slice(0, sequences)
          .map((piece) => piece * size)
      : Array.from({ length: sequences }, () =>
          Math.floor(random.next() * (tokens.length - size + 1)),
        );
  const ids = starts.map((start) => [...prefix, ...tokens.slice(start, start + size)]);
  return { ids, length, available: tokens.length };
}

/** What the tokenizer puts before a text: most often one token for its beginning, or nothing. */
function prefixOf(tokenizer: Tokenizer): number[] {
  const plain = tokenizer.encode('a', { specials: false });
  const whole = tokenizer.encode('a');
  const at = whole.findIndex((_, index) => plain.every((id, i) => whole[index + i] === id));
  return whole.slice(0, Math.max(0, at));
}

/** The numbers below `count` in random order (Fisher and Yates). */
function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
