import { describe, expect, test } from 'vitest';
import { entropyOf } from '../../../main/numeric/quantization/entropy.ts';
import {
  decodeRans,
  encodeRans,
  normalizeFrequencies,
  ransTable,
  type RansTable,
} from '../../../main/numeric/quantization/rans.ts';
import { createRandom } from '../../../main/numeric/random.ts';
import golden from '../../golden/rans.json';

const malformed = expect.objectContaining({ code: 'file_malformed' });

function countsOf(symbols: Uint8Array, size: number): Uint32Array {
  const counts = new Uint32Array(size);
  for (const symbol of symbols) counts[symbol]++;
  return counts;
}

function tableOf(symbols: Uint8Array, size = 256): RansTable {
  return ransTable(normalizeFrequencies(countsOf(symbols, size)));
}

/** Symbols around 8, as codes of 4-bit weights are. */
function skewed(seed: number, count: number): Uint8Array {
  const random = createRandom(seed);
  const fall = () => Math.floor(-Math.log(1 - random.next()) * 1.4);
  return Uint8Array.from({ length: count }, () =>
    Math.min(15, Math.max(0, 8 + (random.next() < 0.5 ? fall() : -fall()))),
  );
}

describe('the golden vectors', () => {
  test('of the toy: frequencies and bytes exactly', () => {
    const symbols = Uint8Array.from(golden.toy.symbols);
    const frequencies = normalizeFrequencies(countsOf(symbols, 4));
    expect([...frequencies]).toEqual(golden.toy.freq);
    expect([...encodeRans(symbols, ransTable(frequencies))]).toEqual(golden.toy.bytes);
  });

  test('of 2,000 weights: frequencies and bytes exactly', () => {
    const symbols = Uint8Array.from(golden.weights.symbols);
    const frequencies = normalizeFrequencies(countsOf(symbols, golden.weights.freq.length));
    expect([...frequencies]).toEqual(golden.weights.freq);
    const bytes = encodeRans(symbols, ransTable(frequencies));
    expect(Buffer.from(bytes).toString('hex')).toBe(golden.weights.hex);
  });
});

describe.each([1, 2, 4])('with %i lanes', (lanes) => {
  test.each([
    ['nothing', new Uint8Array(0)],
    ['one symbol', Uint8Array.of(3)],
    ['one symbol many times', new Uint8Array(5000).fill(7)],
    ['skewed symbols', skewed(1, 20_001)],
    ['all 256 symbols', Uint8Array.from({ length: 4096 }, (_, i) => i & 255)],
    ['one rare symbol', Uint8Array.from({ length: 100_000 }, (_, i) => (i === 777 ? 1 : 0))],
  ])('%s come back', (_, symbols) => {
    const table = tableOf(symbols.length > 0 ? symbols : Uint8Array.of(0));
    expect(decodeRans(encodeRans(symbols, table, lanes), symbols.length, table, lanes)).toEqual(
      symbols,
    );
  });

  test('the size is within 0.5 % of the entropy', () => {
    const symbols = skewed(2, 100_000);
    const bits = (8 * encodeRans(symbols, tableOf(symbols), lanes).length) / symbols.length;
    expect(bits).toBeLessThan(1.005 * entropyOf(countsOf(symbols, 16)) + (32 * lanes) / 100_000);
  });

  test('bytes cut off or added are refused', () => {
    const symbols = skewed(3, 1000);
    const table = tableOf(symbols);
    const bytes = encodeRans(symbols, table, lanes);
    for (const length of [0, 3, 4 * lanes, bytes.length - 1]) {
      expect(() => decodeRans(bytes.subarray(0, length), 1000, table, lanes)).toThrow(malformed);
    }
    expect(() => decodeRans(Uint8Array.of(...bytes, 0), 1000, table, lanes)).toThrow(malformed);
  });
});

test('a flipped bit anywhere is noticed at the end state', () => {
  const symbols = skewed(4, 600);
  const table = tableOf(symbols);
  const bytes = encodeRans(symbols, table);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect(() => decodeRans(damaged, 600, table)).toThrow(malformed);
  }
});

test('frequencies sum to 16,384 and leave no used symbol without one', () => {
  const counts = Uint32Array.from({ length: 256 }, (_, i) => (i === 0 ? 10_000_000 : i % 3));
  const frequencies = normalizeFrequencies(counts);
  expect(frequencies.reduce((a, b) => a + b, 0)).toBe(16_384);
  expect(frequencies.every((frequency, i) => frequency > 0 === counts[i] > 0)).toBe(true);
});

test('tables and symbols that cannot be used are refused', () => {
  expect(() => normalizeFrequencies([0, 0])).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => ransTable(Uint16Array.of(1, 2))).toThrow(malformed);
  const table = ransTable(Uint16Array.of(16_384, 0));
  expect(() => encodeRans(Uint8Array.of(1), table)).toThrow('does not hold: 1');
});
