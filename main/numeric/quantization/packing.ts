import { LatheError } from '../../../preload/contract/errors.ts';
import { groupsPerRow, type Quantized, zeroPointOf } from './quantized.ts';

/** Bits per code in a file: kernels know these only; 3-bit codes are stored in 4 bits. */
export type PackedBits = 2 | 4 | 8;

/** The narrowest packing that holds codes of `bits` bits. */
export function packedBits(bits: number): PackedBits {
  return bits <= 2 ? 2 : bits <= 4 ? 4 : 8;
}

/**
 * Packs `count` codes given by `code`, 8 / bits to a byte, lowest bits first; the last byte is
 * filled up with 0.
 */
export function packCodes(
  count: number,
  bits: PackedBits,
  code: (index: number) => number,
): Uint8Array {
  const perByte = 8 / bits;
  const packed = new Uint8Array(Math.ceil(count / perByte));
  for (let i = 0; i < count; i++) {
    packed[Math.floor(i / perByte)] |= code(i) << ((i % perByte) * bits);
  }
  return packed;
}

/** The `count` codes of `packCodes`. */
export function unpackCodes(packed: Uint8Array, count: number, bits: PackedBits): Uint8Array {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return Uint8Array.from(
    { length: count },
    (_, i) => (packed[Math.floor(i / perByte)] >> ((i % perByte) * bits)) & mask,
  );
}

/** The initializers of com.microsoft::MatMulNBits and GatherBlockQuantized. */
export interface BlockPacked {
  readonly bits: PackedBits;
  readonly blockSize: number;
  /** ceil(K / blockSize). */
  readonly blocks: number;
  /** [N, blocks, blockSize · bits / 8]. */
  readonly codes: Uint8Array;
  /** [N, blocks]. */
  readonly scales: Float32Array;
  /** uint8 [N, ceil(blocks · bits / 8)], float32 [N, blocks], or null for 2^(bits-1). */
  readonly zeroPoints: Uint8Array | Float32Array | null;
}

/**
 * MatMulNBits' layout of a weight [N, K] whose groups are its blocks. Blocks follow K, then rows;
 * the last block of a row is filled up with its zero point, so that files are reproducible; each
 * row of zero points is padded to a byte of its own. For an embedding [V, D] with D a multiple of
 * the block size the same bytes, seen as [V, D · bits / 8], serve GatherBlockQuantized.
 */
export function packBlocks(quantized: Quantized): BlockPacked {
  const { rows, columns, groupSize: blockSize, codes, scales, zeroPoints } = quantized;
  if (blockSize < 16 || blockSize > 256 || (blockSize & (blockSize - 1)) !== 0) {
    throw new LatheError('usage', `block size must be a power of two from 16 to 256: ${blockSize}`);
  }
  const bits = packedBits(quantized.bits);
  if (zeroPoints.kind === 'float' && bits === 8) {
    throw new LatheError('usage', 'float zero points work with 2 and 4 bits only: 8');
  }
  const blocks = groupsPerRow(quantized);
  const perByte = 8 / bits;
  const packed = new Uint8Array((rows * blocks * blockSize) / perByte);
  for (let block = 0; block < rows * blocks; block++) {
    const start = (block % blocks) * blockSize;
    const from = Math.floor(block / blocks) * columns + start;
    const length = Math.min(blockSize, columns - start);
    const padding = Math.min(Math.max(Math.round(zeroPointOf(quantized, block)), 0), 2 ** bits - 1);
    const to = (block * blockSize) / perByte;
    for (let i = 0; i < blockSize; i++) {
      const code = i < length ? codes[from + i] : padding;
      packed[to + Math.floor(i / perByte)] |= code << ((i % perByte) * bits);
    }
  }
  return {
    bits,
    blockSize,
    blocks,
    codes: packed,
    scales,
    zeroPoints: packZeroPoints(quantized, bits, blocks),
  };
}

function packZeroPoints(
  quantized: Quantized,
  bits: PackedBits,
  blocks: number,
): Uint8Array | Float32Array | null {
  const { rows, zeroPoints } = quantized;
  if (zeroPoints.kind === 'float') return zeroPoints.values;
  // The kernel's default is the middle of the packed range, not of the codes' own.
  if (zeroPoints.kind === 'midpoint' && bits === quantized.bits) return null;
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const zeroPoint = (block: number) => zeroPointOf(quantized, row * blocks + block);
    packed.set(packCodes(blocks, bits, zeroPoint), row * rowBytes);
  }
  return packed;
}

/** The initializers of DequantizeLinear with blocks along K, for a MatMul weight [K, N]. */
export interface QdqPacked {
  readonly dataType: 'int4' | 'uint4' | 'int8' | 'uint8';
  /** [K, N], two to a byte for 4 bits (low half first, row-major over the whole tensor). */
  readonly codes: Uint8Array;
  /** [groups, N]. */
  readonly scales: Float32Array;
  /** [groups, N], packed like the codes. */
  readonly zeroPoints: Uint8Array;
}

/**
 * Standard ONNX QDQ (opset 21: DequantizeLinear with `axis` 0 and `block_size`) of a weight [N, K],
 * transposed to the [K, N] a MatMul wants. Signed types store code - 2^(bits-1) in two's complement.
 * Codes of 2 and 3 bits are stored in 4. Zero points must be whole.
 */
export function packQdq(quantized: Quantized, signed: boolean): QdqPacked {
  const { rows, columns, scales } = quantized;
  if (quantized.zeroPoints.kind === 'float') {
    throw new LatheError('usage', 'QDQ needs whole zero points: float');
  }
  const bits = packedBits(Math.max(quantized.bits, 4));
  const shift = signed ? 2 ** (bits - 1) : 0;
  const mask = 2 ** bits - 1;
  const groups = groupsPerRow(quantized);
  const source = (i: number) => (i % rows) * groups + Math.floor(i / rows);
  return {
    dataType: `${signed ? '' : 'u'}int${bits === 4 ? 4 : 8}`,
    codes: packCodes(rows * columns, bits, (i) => {
      const code = quantized.codes[(i % rows) * columns + Math.floor(i / rows)];
      return (code - shift) & mask;
    }),
    scales: Float32Array.from(scales, (_, i) => scales[source(i)]),
    zeroPoints: packCodes(
      groups * rows,
      bits,
      (i) => (zeroPointOf(quantized, source(i)) - shift) & mask,
    ),
  };
}

/** GatherBlockQuantized's data as an int4 or uint4 tensor [V, D]. */
export interface GatherPacked {
  /** [V, D], two to a byte. */
  readonly codes: Uint8Array;
  /** [V, blocks]. */
  readonly scales: Float32Array;
  /** [V, blocks], two to a byte over the whole tensor: without it the runtime takes 0, not 8. */
  readonly zeroPoints: Uint8Array;
}

/**
 * GatherBlockQuantized in its 4-bit tensor types, for tables whose width is not a multiple of the
 * block size; `packBlocks` serves the uint8 form. Not transposed: rows are vocabulary entries.
 */
export function packGather(quantized: Quantized, signed: boolean): GatherPacked {
  if (quantized.bits > 4 || quantized.zeroPoints.kind === 'float') {
    throw new LatheError('usage', `a 4-bit table cannot hold codes of bits: ${quantized.bits}`);
  }
  const shift = signed ? 8 : 0;
  const { codes, scales } = quantized;
  return {
    codes: packCodes(codes.length, 4, (i) => (codes[i] - shift) & 15),
    scales,
    zeroPoints: packCodes(scales.length, 4, (i) => (zeroPointOf(quantized, i) - shift) & 15),
  };
}
