import { LatheError } from '../../preload/contract/errors.ts';
import { openBytes, type Bytes } from './files.ts';
import { parseJson, type JsonValue } from './json.ts';
import {
  storedTypes,
  type NamedTensor,
  type NamedTensors,
  type StoredType,
} from './namedTensors.ts';

/** The format's own limit, so that a small file cannot make a reader allocate much. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of the little-endian header size that a file begins with. */
const PREFIX_BYTES = 8;

/** Where a tensor's bytes stand, counted from the end of the header. */
interface Entry {
  readonly name: string;
  readonly dataType: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Opens one safetensors file and reads its header only. The whole contract of the format is
 * checked: header of at most 100 MB that begins with `{`, valid UTF-8 JSON without duplicate keys,
 * `__metadata__` of strings, known element types, shapes that match their byte spans, and spans
 * that cover the rest of the file without holes or overlaps (github.com/huggingface/safetensors).
 * Anything else is `file_malformed` with file, byte offset and tensor.
 */
export function openSafetensors(path: string): NamedTensors {
  return safetensorsOf(openBytes(path));
}

/** The same for a file that is open already; closes it when it is refused. */
export function safetensorsOf(bytes: Bytes): NamedTensors {
  try {
    const headerSize = readHeaderSize(bytes);
    const header = readHeader(bytes, headerSize);
    const dataStart = PREFIX_BYTES + headerSize;
    checkMetadata(bytes.path, header);
    const entries = [...header]
      .filter(([name]) => name !== '__metadata__')
      .map(([name, value]) => readEntry(bytes.path, name, value));
    const ordered = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
    checkSpans(bytes, dataStart, ordered);
    return namedTensors(bytes, dataStart, ordered);
  } catch (error) {
    bytes.close();
    throw error;
  }
}

function namedTensors(bytes: Bytes, dataStart: number, entries: readonly Entry[]): NamedTensors {
  const tensors = new Map(
    entries.map(({ name, dataType, shape, begin, end }): [string, NamedTensor] => {
      const offset = dataStart + begin;
      const length = end - begin;
      const read = (): Uint8Array<ArrayBuffer> => bytes.read(offset, length);
      return [name, { name, dataType, shape, length, file: bytes.path, offset, read }];
    }),
  );
  return {
    path: bytes.path,
    names: [...tensors.keys()],
    get: (name) => tensors.get(name),
    close: () => bytes.close(),
  };
}

function readHeaderSize(bytes: Bytes): number {
  if (bytes.length < PREFIX_BYTES) {
    throw malformed(`file ends inside the header size: ${bytes.length} bytes`, bytes.path, {
      offset: bytes.length,
    });
  }
  const prefix = bytes.read(0, PREFIX_BYTES);
  const size = new DataView(prefix.buffer).getBigUint64(0, true);
  if (size > BigInt(MAX_HEADER_BYTES)) {
    throw malformed(`header may have at most ${MAX_HEADER_BYTES} bytes: ${size}`, bytes.path, {
      offset: 0,
      value: String(size),
    });
  }
  if (Number(size) > bytes.length - PREFIX_BYTES) {
    throw malformed(
      `file ends inside the header: ${size} bytes announced, ${bytes.length - PREFIX_BYTES} there`,
      bytes.path,
      { offset: bytes.length, value: String(size) },
    );
  }
  return Number(size);
}

function readHeader(bytes: Bytes, size: number): Map<string, JsonValue> {
  const header = bytes.read(PREFIX_BYTES, size);
  if (header[0] !== '{'.charCodeAt(0)) {
    throw malformed('header must begin with {', bytes.path, { offset: PREFIX_BYTES });
  }
  const value = parseJson(header, { file: bytes.path, offset: PREFIX_BYTES });
  // JSON that begins with a brace is an object.
  return value instanceof Map ? value : new Map();
}

function checkMetadata(file: string, header: ReadonlyMap<string, JsonValue>): void {
  const metadata = header.get('__metadata__');
  if (metadata === undefined) return;
  if (
    !(metadata instanceof Map) ||
    [...metadata.values()].some((value) => typeof value !== 'string')
  ) {
    throw malformed('__metadata__ must map text to text', file, { offset: PREFIX_BYTES });
  }
}

function readEntry(file: string, name: string, fields: JsonValue): Entry {
  const fail = (message: string, offending: JsonValue = null): LatheError =>
    malformed(`tensor ${name}: ${message}: ${JSON.stringify(offending)}`, file, {
      offset: PREFIX_BYTES,
      tensor: name,
    });
  if (!(fields instanceof Map)) throw fail('entry must be an object', fields);
  const dtype = fields.get('dtype');
  const dataType = typeof dtype === 'string' ? dtypes.get(dtype) : undefined;
  if (dataType === undefined) throw fail('unknown dtype', dtype);
  const shape = fields.get('shape');
  if (!isSizes(shape)) throw fail('shape must be a list of non-negative integers', shape);
  const span = fields.get('data_offsets');
  if (!isSizes(span) || span.length !== 2 || span[0] > span[1]) {
    throw fail('data_offsets must be two ascending non-negative integers', span);
  }
  const [begin, end] = span;
  // Beyond 2^53 the product could only seem to match, so it is taken exactly.
  const elements = shape.reduce((count, dim) => count * BigInt(dim), 1n);
  const bits = elements * BigInt(storedTypes[dataType]);
  if (bits !== BigInt(end - begin) * 8n) {
    throw fail(`${dataType} of shape [${shape.join(', ')}] does not fill its bytes`, span);
  }
  return { name, dataType, shape, begin, end };
}

/** Spans in ascending order must follow each other from the first byte to the last. */
function checkSpans(bytes: Bytes, dataStart: number, ordered: readonly Entry[]): void {
  const size = bytes.length - dataStart;
  let position = 0;
  let previous = '';
  for (const { name, begin, end } of ordered) {
    const at = { offset: dataStart + begin, tensor: name };
    if (begin < position) {
      throw malformed(`tensors overlap: ${name} begins inside ${previous}`, bytes.path, at);
    }
    if (begin > position) {
      throw malformed(`${begin - position} bytes before ${name} belong to no tensor`, bytes.path, {
        ...at,
        offset: dataStart + position,
      });
    }
    if (end > size) {
      throw malformed(
        `file is truncated: tensor ${name} ends at byte ${dataStart + end}, the file at ${bytes.length}`,
        bytes.path,
        at,
      );
    }
    position = end;
    previous = name;
  }
  if (position < size) {
    throw malformed(`${size - position} bytes after the last tensor belong to none`, bytes.path, {
      offset: dataStart + position,
    });
  }
}

function isSizes(value: JsonValue | undefined): value is number[] {
  return (
    Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && Number(item) >= 0)
  );
}

function malformed(
  message: string,
  file: string,
  place: { offset: number; tensor?: string; value?: string },
): LatheError {
  // A hostile header may hold names of megabytes: enough is shown to recognise them.
  const shown = message.length > 300 ? `${message.slice(0, 300)}…` : message;
  const tensor = place.tensor?.slice(0, 300);
  return new LatheError('file_malformed', `${shown} (${file})`, {
    file,
    ...place,
    ...(tensor === undefined ? {} : { tensor }),
  });
}

/** The format's names of element types. Six-bit floats are left out: nothing here computes them. */
const dtypes = new Map<string, StoredType>([
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['U16', 'uint16'],
  ['I16', 'int16'],
  ['U32', 'uint32'],
  ['I32', 'int32'],
  ['U64', 'uint64'],
  ['I64', 'int64'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['F4', 'float4e2m1'],
  ['F8_E4M3', 'float8e4m3fn'],
  ['F8_E5M2', 'float8e5m2'],
  ['F8_E8M0', 'float8e8m0'],
  ['C64', 'complex64'],
]);
