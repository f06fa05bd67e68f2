import { LatheError } from '../../../preload/contract/errors.ts';
import { decodeRans, encodeRans, type RansTable } from './rans.ts';

/** Symbols of a chunk: small enough that damage stays local and chunks decode side by side. */
export const chunkSymbols = 65_536;
/** States that take turns inside a chunk. */
const lanes = 4;

/** A run of up to 65,536 coded symbols. */
export interface CodedChunk {
  readonly symbols: number;
  readonly bytes: Uint8Array;
  /** CRC-32C of `bytes`. */
  readonly checksum: number;
}

/** Codes symbols chunk by chunk with one table. */
export function encodeChunks(symbols: Uint8Array, table: RansTable): CodedChunk[] {
  return Array.from({ length: Math.ceil(symbols.length / chunkSymbols) }, (_, i) => {
    const part = symbols.subarray(i * chunkSymbols, (i + 1) * chunkSymbols);
    const bytes = encodeRans(part, table, lanes);
    return { symbols: part.length, bytes, checksum: crc32c(bytes) };
  });
}

/** The symbols of all chunks; refuses a damaged one and says which. */
export function decodeChunks(chunks: readonly CodedChunk[], table: RansTable): Uint8Array {
  const result = new Uint8Array(chunks.reduce((sum, { symbols }) => sum + symbols, 0));
  let at = 0;
  chunks.forEach(({ symbols, bytes, checksum }, index) => {
    if (crc32c(bytes) !== checksum) {
      throw new LatheError('file_malformed', `coded weights are damaged in chunk: ${index}`);
    }
    result.set(decodeRans(bytes, symbols, table, lanes), at);
    at += symbols;
  });
  return result;
}

/** CRC-32C (Castagnoli, reflected 0x82f63b78) of `bytes`. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = remainders[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
