/** A tensor of a weight file: its facts at once, its bytes on demand. */
export interface NamedTensor {
  readonly name: string;
  readonly dataType: StoredType;
  readonly shape: readonly number[];
  /** Size in bytes. */
  readonly length: number;
  /** The file that holds it, and the first of its bytes there. */
  readonly file: string;
  readonly offset: number;
  /** All elements, little-endian, row-major. */
  read(): Uint8Array<ArrayBuffer>;
}

/** The tensors of a model, of one weight file or of several. */
export interface NamedTensors {
  /** What to name in messages: the weight file, or the index of several. */
  readonly path: string;
  /** In the order of the files. */
  readonly names: readonly string[];
  get(name: string): NamedTensor | undefined;
  /** Closes the files; tensors cannot be read any more. */
  close(): void;
}

/** Element types that weight files hold, by Lathe's name, with the bits of one element. */
export const storedTypes = {
  bool: 8,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  uint32: 32,
  int32: 32,
  uint64: 64,
  int64: 64,
  float16: 16,
  bfloat16: 16,
  float32: 32,
  float64: 64,
  float4e2m1: 4,
  float8e4m3fn: 8,
  float8e5m2: 8,
  float8e8m0: 8,
  complex64: 64,
} as const;

export type StoredType = keyof typeof storedTypes;
