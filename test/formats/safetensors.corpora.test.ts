import { expect, test } from 'vitest';
import type { Bytes } from '../../main/formats/files.ts';
import { safetensorsOf } from '../../main/formats/safetensors.ts';
import { createRandom, type Random } from '../../main/numeric/random.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { safetensors } from '../models/safetensors.ts';

const start = safetensors([
  { name: 'a.weight', dtype: 'F32', shape: [2, 3], bytes: new Uint8Array(24) },
  { name: 'b.weight', dtype: 'BF16', shape: [4], bytes: new Uint8Array(8) },
  { name: 'empty', dtype: 'I64', shape: [0, 5], bytes: new Uint8Array(0) },
  { name: 'ü', dtype: 'U8', shape: [], bytes: new Uint8Array(1) },
]);
const headerEnd = start.length - 33;
const words = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '0',
  '9',
  '-1',
  '1e9',
  'null',
  '\\',
  '\\u0061',
  '"U8"',
  '"F64"',
  '"shape"',
  '9007199254740993',
  '\0',
  ' ',
];

const mutations: ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  // One to three flipped bits anywhere in size and header.
  (bytes, random) => {
    const mutant = bytes.slice();
    for (let i = 0; i <= random.next() * 3; i++) {
      const bit = Math.floor(random.next() * headerEnd * 8);
      mutant[bit >> 3] ^= 1 << (bit & 7);
    }
    return mutant;
  },
  // Cut off.
  (bytes, random) => bytes.slice(0, Math.floor(random.next() * bytes.length)),
  // A word of the format put over or between others, the header size corrected.
  (bytes, random) => {
    const word = new TextEncoder().encode(words[Math.floor(random.next() * words.length)]);
    const at = 8 + Math.floor(random.next() * (headerEnd - 8));
    const removed = random.next() < 0.5 ? 0 : word.length;
    const mutant = new Uint8Array([
      ...bytes.subarray(0, at),
      ...word,
      ...bytes.subarray(at + removed),
    ]);
    const size = BigInt(headerEnd - 8 + word.length - removed);
    new DataView(mutant.buffer).setBigUint64(0, size, true);
    return mutant;
  },
  // Another header size.
  (bytes, random) => {
    const mutant = bytes.slice();
    const size = BigInt(Math.floor(random.next() * 2 ** Math.floor(random.next() * 53)));
    new DataView(mutant.buffer).setBigUint64(
      0,
      size << BigInt(Math.floor(random.next() * 12)),
      true,
    );
    return mutant;
  },
];

function inMemory(bytes: Uint8Array): Bytes {
  return {
    path: 'mutant',
    length: bytes.length,
    read(offset, length) {
      if (offset < 0 || offset + length > bytes.length) throw new RangeError('outside the file');
      return bytes.slice(offset, offset + length);
    },
    close() {},
  };
}

test('100,000 mutants are refused by a typed error or read whole, each byte by one tensor', () => {
  const random = createRandom(10);
  let refused = 0;
  for (let i = 0; i < 100_000; i++) {
    const mutant = mutations[i % mutations.length](start, random);
    try {
      const tensors = safetensorsOf(inMemory(mutant));
      const headerSize = Number(new DataView(mutant.buffer).getBigUint64(0, true));
      const sizes = tensors.names.map((name) => tensors.get(name)?.read().length ?? NaN);
      expect(sizes.reduce((a, b) => a + b, 0)).toBe(mutant.length - 8 - headerSize);
    } catch (error) {
      if (!(error instanceof LatheError)) throw error;
      refused++;
    }
  }
  // Most mutants are invalid; some change a name or metadata only.
  expect(refused).toBeGreaterThan(60_000);
  expect(refused).toBeLessThan(100_000);
});
