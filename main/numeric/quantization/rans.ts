import { LatheError } from '../../../preload/contract/errors.ts';

/** Frequencies are whole multiples of 2^-14. */
const scaleBits = 14;
const total = 1 << scaleBits;
/** A state lies in [2^23, 2^31): numbers stay whole and below 2^53 in every step. */
const lowerBound = 2 ** 23;

/** A symbol model: frequencies that sum to 16,384 and their running sums. */
export interface RansTable {
  readonly frequencies: Uint16Array;
  readonly starts: Uint16Array;
  /** Symbol of each of the 16,384 slots. */
  readonly slots: Uint8Array;
}

/**
 * Frequencies for `counts` (one per symbol, at most 256): in proportion, at least 1 for every
 * symbol that occurs, 16,384 in all. Deterministic: the lowest symbol wins a tie.
 */
export function normalizeFrequencies(counts: ArrayLike<number>): Uint16Array {
  const length = counts.length;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += counts[i];
  if (length > 256 || sum === 0) {
    throw new LatheError('usage', `a code needs from 1 to 256 symbols that occur: ${length}`);
  }
  const frequencies = new Float64Array(length);
  let rest = total;
  for (let i = 0; i < length; i++) {
    if (counts[i] > 0) frequencies[i] = Math.max(1, Math.floor((counts[i] * total) / sum));
    rest -= frequencies[i];
  }
  for (; rest !== 0; rest -= Math.sign(rest)) {
    let best = -1;
    let bestScore = -1;
    for (let i = 0; i < length; i++) {
      // Give to whom rounding took most from; take from the largest, but never the last one.
      const score =
        rest > 0
          ? counts[i] > 0
            ? counts[i] / frequencies[i]
            : -1
          : frequencies[i] > 1
            ? frequencies[i]
            : -1;
      if (score > bestScore) {
        best = i;
        bestScore = score;
      }
    }
    frequencies[best] += Math.sign(rest);
  }
  return Uint16Array.from(frequencies);
}

/** The table of stored frequencies; refuses any that do not sum to 16,384. */
export function ransTable(frequencies: Uint16Array): RansTable {
  const sum = frequencies.reduce((a, b) => a + b, 0);
  if (sum !== total || frequencies.length > 256) {
    throw new LatheError('file_malformed', `symbol frequencies must sum to ${total}: ${sum}`);
  }
  const starts = new Uint16Array(frequencies.length);
  const slots = new Uint8Array(total);
  let at = 0;
  frequencies.forEach((frequency, symbol) => {
    starts[symbol] = at;
    slots.fill(symbol, at, at + frequency);
    at += frequency;
  });
  return { frequencies, starts, slots };
}

/**
 * Codes `symbols` with a range asymmetric numeral system (Duda, arXiv 1311.2540; rANS with 32-bit
 * states and bytes): `lanes` states take turns, so that a decoder has independent work. The result
 * begins with the end states, 4 bytes each, high byte first.
 */
export function encodeRans(symbols: Uint8Array, table: RansTable, lanes = 1): Uint8Array {
  const { frequencies, starts } = table;
  const states = new Float64Array(lanes).fill(lowerBound);
  const bytes = new ReversedBytes(symbols.length + 4 * lanes + 16);
  for (let i = symbols.length - 1; i >= 0; i--) {
    const symbol = symbols[i];
    const frequency = frequencies[symbol];
    if (!frequency) throw new LatheError('usage', `a symbol the table does not hold: ${symbol}`);
    let state = states[i % lanes];
    // The state must fit its range after the step: shed bytes until it does.
    const limit = (lowerBound / total) * 256 * frequency;
    while (state >= limit) {
      bytes.push(state & 255);
      state = Math.floor(state / 256);
    }
    const quotient = Math.floor(state / frequency);
    states[i % lanes] = quotient * total + (state - quotient * frequency) + starts[symbol];
  }
  for (let lane = lanes - 1; lane >= 0; lane--) {
    for (let shift = 0; shift < 4; shift++) bytes.push((states[lane] / 256 ** shift) & 255);
  }
  return bytes.finish();
}

/**
 * The `count` symbols of `encodeRans`. Refuses bytes that end early, are left over or do not lead
 * back to the first state, which damaged bytes almost never do.
 */
export function decodeRans(
  bytes: Uint8Array,
  count: number,
  table: RansTable,
  lanes = 1,
): Uint8Array {
  const { frequencies, starts, slots } = table;
  if (bytes.length < 4 * lanes) throw damaged(bytes.length);
  const states = new Uint32Array(lanes);
  let at = 0;
  for (let lane = 0; lane < lanes; lane++) {
    for (let i = 0; i < 4; i++) states[lane] = states[lane] * 256 + bytes[at++];
  }
  const symbols = new Uint8Array(count);
  for (let i = 0, lane = 0; i < count; i++, lane = lane + 1 === lanes ? 0 : lane + 1) {
    let state = states[lane];
    const slot = state & (total - 1);
    const symbol = slots[slot];
    symbols[i] = symbol;
    state = frequencies[symbol] * (state >>> scaleBits) + slot - starts[symbol];
    while (state < lowerBound) {
      if (at === bytes.length) throw damaged(at);
      state = state * 256 + bytes[at++];
    }
    states[lane] = state;
  }
  if (at !== bytes.length || states.some((state) => state !== lowerBound)) throw damaged(at);
  return symbols;
}

function damaged(offset: number): LatheError {
  return new LatheError('file_malformed', `coded weights are damaged near byte: ${offset}`, {
    offset,
  });
}

/** Bytes pushed in reverse order. */
class ReversedBytes {
  #bytes: Uint8Array;
  #start: number;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#start = capacity;
  }

  push(byte: number): void {
    if (this.#start === 0) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes, this.#bytes.length);
      this.#start = this.#bytes.length;
      this.#bytes = longer;
    }
    this.#bytes[--this.#start] = byte;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(this.#start);
  }
}
