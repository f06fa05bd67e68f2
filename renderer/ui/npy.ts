/** Numbers of any rank, row by row. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/**
 * An array as a file of NumPy (format 1.0): what follows the magic bytes is a Python dictionary,
 * padded so that the numbers begin at a multiple of 64 bytes. Little-endian, as every platform is
 * that the studio runs on.
 */
export function toNpy({ shape, data }: NpyArray): Uint8Array<ArrayBuffer> {
  const type = data instanceof Int32Array ? '<i4' : '<f4';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const facts = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((magic.length + 2 + facts.length + 1) / 64) * 64;
  const header = `${facts.padEnd(start - magic.length - 3)}\n`;
  const file = new Uint8Array(start + data.byteLength);
  file.set(magic);
  new DataView(file.buffer).setUint16(magic.length, header.length, true);
  file.set(new TextEncoder().encode(header), magic.length + 2);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return file;
}

/** `\x93NUMPY` and version 1.0. */
const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0);
