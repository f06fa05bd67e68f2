import { createSink } from './files.ts';

/** A tensor to be written: its facts at once, its bytes when their turn comes. */
export interface TensorToWrite {
  readonly name: string;
  /** Element type by the format's name. */
  readonly dtype: 'F16';
  readonly shape: readonly number[];
  readonly length: number;
  /** `length` bytes, little-endian, row-major. */
  readonly read: () => Uint8Array;
}

/**
 * Writes a safetensors file, one tensor in memory at a time; `onTensor` is awaited before each, so
 * that it can report and abort. The header is padded to a multiple of eight, as the original writer
 * (github.com/huggingface/safetensors) does. What fails leaves no file.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  onTensor: (written: number, total: number) => Promise<void> | void,
): Promise<void> {
  let total = 0;
  const entries = tensors.map(({ name, dtype, shape, length }) => {
    const begin = total;
    total += length;
    return [name, { dtype, shape, data_offsets: [begin, total] }];
  });
  // What transformers takes the layout of the names from.
  const header = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const encoded = new TextEncoder().encode(header);
  const text = new Uint8Array(Math.ceil(encoded.length / 8) * 8).fill(' '.charCodeAt(0));
  text.set(encoded);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true);
  const sink = createSink(path);
  try {
    sink.write(prefix);
    sink.write(text);
    let written = 0;
    for (const { name, length, read } of tensors) {
      await onTensor(written, total);
      const bytes = read();
      if (bytes.length !== length) {
        throw new RangeError(`${name}: ${bytes.length} bytes where ${length} were announced`);
      }
      sink.write(bytes);
      written += length;
    }
    sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}
