import { expect, test } from 'vitest';
import {
  chunkSymbols,
  crc32c,
  decodeChunks,
  encodeChunks,
} from '../../../main/numeric/quantization/codedChunks.ts';
import { normalizeFrequencies, ransTable } from '../../../main/numeric/quantization/rans.ts';
import { createRandom } from '../../../main/numeric/random.ts';

const random = createRandom(1);
const symbols = Uint8Array.from({ length: 2 * chunkSymbols + 5 }, () =>
  Math.floor(16 * random.next() ** 2),
);
const counts = new Uint32Array(16);
for (const symbol of symbols) counts[symbol]++;
const table = ransTable(normalizeFrequencies(counts));

test('symbols come back, in chunks of 65,536', () => {
  const chunks = encodeChunks(symbols, table);
  expect(chunks.map((chunk) => chunk.symbols)).toEqual([65_536, 65_536, 5]);
  expect(decodeChunks(chunks, table)).toEqual(symbols);
});

test('a damaged chunk is refused by its number', () => {
  const chunks = encodeChunks(symbols, table);
  chunks[1].bytes[1000] ^= 4;
  expect(() => decodeChunks(chunks, table)).toThrow('coded weights are damaged in chunk: 1');
});

test('the checksum is CRC-32C', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});
