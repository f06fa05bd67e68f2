import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { LatheError } from '../../preload/contract/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'lathe-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of header size, header and data bytes; the size may be told wrong. */
function written(header: string | Uint8Array, data = 0, size?: bigint): string {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, size ?? BigInt(text.length), true);
  bytes.set(text, 8);
  for (let i = 0; i < data; i++) bytes[8 + text.length + i] = i;
  return fileOf(bytes);
}

let files = 0;
function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.safetensors`);
  writeFileSync(path, bytes);
  return path;
}

function entry(dtype: unknown, shape: unknown, span: unknown): string {
  return JSON.stringify({ dtype, shape, data_offsets: span });
}

/** A header of tensors `a` and `b` over these spans. */
function pair(a: number[], b: number[]): string {
  return `{"a":${entry('U8', [a[1] - a[0]], a)},"b":${entry('U8', [b[1] - b[0]], b)}}`;
}

const good = entry('F32', [2], [0, 8]);

/** Message and data of the refusal, the file's own name left out. */
function refusal(path: string): { message: string; offset?: number; tensor?: string } {
  try {
    openSafetensors(path).close();
  } catch (error) {
    if (!(error instanceof LatheError && error.code === 'file_malformed')) throw error;
    if (error.data.file !== path) throw new Error('the file is not named', { cause: error });
    const { offset, tensor } = error.data;
    return {
      message: error.message.replace(` (${path})`, ''),
      ...(offset === undefined ? {} : { offset }),
      ...(tensor === undefined ? {} : { tensor }),
    };
  }
  throw new Error(`was not refused: ${path}`);
}

describe('what the format allows is read', () => {
  test('tensors in any order of the header, with metadata, scalars, empty ones and padding', () => {
    const header = `{"b":${entry('U8', [2, 2], [8, 12])},"__metadata__":{"format":"pt"},"none":${entry('I64', [0, 7], [8, 8])},"a":${good},"scalar":${entry('F16', [], [12, 14])}}   `;
    const path = written(header, 14);
    const tensors = openSafetensors(path);
    const facts = tensors.names.map((name) => {
      const { dataType, shape, length, offset } = tensors.get(name)!;
      return [name, dataType, shape, length, offset - 8 - header.length];
    });
    expect(facts).toEqual([
      ['a', 'float32', [2], 8, 0],
      ['none', 'int64', [0, 7], 0, 8],
      ['b', 'uint8', [2, 2], 4, 8],
      ['scalar', 'float16', [], 2, 12],
    ]);
    expect([...tensors.get('b')!.read()]).toEqual([8, 9, 10, 11]);
    expect(tensors.get('c')).toBeUndefined();
    tensors.close();
  });

  test('a file without tensors', () => {
    const tensors = openSafetensors(written('{}'));
    expect(tensors.names).toEqual([]);
    tensors.close();
  });

  test('names that objects of JavaScript have already', () => {
    const tensors = openSafetensors(
      written(`{"__proto__":${good},"constructor":${entry('U8', [0], [8, 8])}}`, 8),
    );
    expect(tensors.names).toEqual(['__proto__', 'constructor']);
    expect(tensors.get('toString')).toBeUndefined();
    tensors.close();
  });

  test.each([
    ['BOOL', 1],
    ['U8', 1],
    ['I8', 1],
    ['U16', 2],
    ['I16', 2],
    ['U32', 4],
    ['I32', 4],
    ['U64', 8],
    ['I64', 8],
    ['F16', 2],
    ['BF16', 2],
    ['F32', 4],
    ['F64', 8],
    ['F4', 0.5],
    ['F8_E4M3', 1],
    ['F8_E5M2', 1],
    ['F8_E8M0', 1],
    ['C64', 8],
  ])('elements of %s take %d bytes', (dtype, size) => {
    const tensors = openSafetensors(written(`{"a":${entry(dtype, [6], [0, 6 * size])}}`, 6 * size));
    expect(tensors.get('a')?.length).toBe(6 * size);
    tensors.close();
    expect(
      refusal(written(`{"a":${entry(dtype, [6], [0, 6 * size + 1])}}`, 6 * size + 1)).message,
    ).toContain('does not fill its bytes');
  });

  test('a name that occurs in the metadata and inside strings is no duplicate', () => {
    const tensors = openSafetensors(
      written(`{"__metadata__":{"a":"\\"a\\":{,","b":"\\\\"},"a":${good}}`, 8),
    );
    expect(tensors.names).toEqual(['a']);
    tensors.close();
  });
});

describe('rule 1: the header size', () => {
  test.each([
    ['no byte at all', new Uint8Array(0), 'file ends inside the header size: 0 bytes', 0],
    ['seven bytes', new Uint8Array(7), 'file ends inside the header size: 7 bytes', 7],
    ['a size of zero', new Uint8Array(8), 'header must begin with {', 8],
    [
      'a size beyond the file',
      Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123, 125),
      'file ends inside the header: 9 bytes announced, 2 there',
      10,
    ],
  ])('%s', (_, bytes, message, offset) => {
    expect(refusal(fileOf(bytes))).toEqual({ message, offset });
  });

  test.each([2n ** 63n, 2n ** 64n - 1n, 100_000_001n])('a header of %s bytes', (size) => {
    expect(refusal(written('{}', 0, size))).toEqual({
      message: `header may have at most 100000000 bytes: ${size}`,
      offset: 0,
    });
  });

  test('a header of 100 MB is announced within the limit', () => {
    expect(refusal(written('{}', 0, 100_000_000n)).message).toBe(
      'file ends inside the header: 100000000 bytes announced, 2 there',
    );
  });

  test('a header of one byte', () => {
    expect(refusal(written('{')).message).toMatch(/^not valid JSON/);
  });
});

describe('rule 2: the header begins with a brace', () => {
  test.each([' {}', '[]', '\ufeff{}', '"{}"', '1'])('%j', (header) => {
    expect(refusal(written(header))).toEqual({ message: 'header must begin with {', offset: 8 });
  });
});

describe('rule 3: UTF-8', () => {
  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut-off character', [0xe2, 0x82]],
  ])('%s', (_, bytes) => {
    const header = Uint8Array.of(
      ...new TextEncoder().encode('{"'),
      ...bytes,
      ...new TextEncoder().encode('":1}'),
    );
    expect(refusal(written(header)).message).toBe('not valid UTF-8');
  });
});

describe('rule 4: JSON', () => {
  test.each([
    ['cut off', '{"a":', 13],
    ['a shape of NaN', `{"ä":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}`, 38],
    ['single quotes', "{'a':1}", 9],
    ['a trailing comma', '{"a":{},}', 16],
    ['two values', '{}{}', 10],
    ['a trailing byte of zero', '{}\0', 10],
  ])('%s', (_, header, offset) => {
    const { message, offset: found } = refusal(written(header));
    expect([message.slice(0, 15), found]).toEqual(['not valid JSON:', offset]);
  });

  test('depth of 100,000 is refused, not overflown', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(refusal(written(deep)).message).toBe('not valid JSON: nesting deeper than 64');
  });
});

describe('rule 5: no duplicate keys', () => {
  test.each([
    ['a tensor twice', `{"a":${good},"a":${good}}`, 8 + 6 + good.length],
    ['metadata twice', `{"__metadata__":{},"__metadata__":{}}`, 8 + 19],
    ['a key of the metadata twice', `{"__metadata__":{"x":"1","x":"2"}}`, 8 + 25],
    [
      'a field twice',
      `{"a":{"dtype":"U8","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
      8 + 19,
    ],
    ['one name written in two ways', `{"a":${good},"\\u0061":${good}}`, 8 + 6 + good.length],
  ])('%s', (_, header, offset) => {
    const found = refusal(written(header, 8));
    expect([found.message.slice(0, 50), found.offset]).toEqual([
      'not valid JSON: the same key twice in one object: ',
      offset,
    ]);
  });
});

describe('rule 6: metadata is text', () => {
  test.each(['{"a":1}', '{"a":{}}', '[]', 'null', '"x"', '{"a":null}'])('%s', (metadata) => {
    expect(refusal(written(`{"__metadata__":${metadata}}`)).message).toBe(
      '__metadata__ must map text to text',
    );
  });
});

describe('rule 7: every entry has type, shape and span that fit', () => {
  test.each([
    ['an unknown type', entry('F31', [2], [0, 8]), 'unknown dtype: "F31"'],
    ['a type that is no text', entry(32, [2], [0, 8]), 'unknown dtype: 32'],
    [
      'a type an object has by nature',
      entry('constructor', [2], [0, 8]),
      'unknown dtype: "constructor"',
    ],
    ['no type', '{"shape":[2],"data_offsets":[0,8]}', 'unknown dtype: null'],
    [
      'a negative size',
      entry('F32', [-2], [0, 8]),
      'shape must be a list of non-negative integers: [-2]',
    ],
    [
      'half a size',
      entry('F32', [2.5], [0, 8]),
      'shape must be a list of non-negative integers: [2.5]',
    ],
    [
      'a size of 2^53',
      entry('F32', [2 ** 53], [0, 8]),
      'shape must be a list of non-negative integers: [9007199254740992]',
    ],
    [
      'a shape of text',
      entry('F32', ['2'], [0, 8]),
      'shape must be a list of non-negative integers: ["2"]',
    ],
    [
      'no shape',
      '{"dtype":"F32","data_offsets":[0,8]}',
      'shape must be a list of non-negative integers: null',
    ],
    [
      'a span that runs backwards',
      entry('F32', [2], [8, 0]),
      'data_offsets must be two ascending non-negative integers: [8,0]',
    ],
    [
      'a span of one',
      entry('F32', [2], [8]),
      'data_offsets must be two ascending non-negative integers: [8]',
    ],
    [
      'a negative span',
      entry('F32', [2], [-8, 0]),
      'data_offsets must be two ascending non-negative integers: [-8,0]',
    ],
    [
      'too few bytes',
      entry('F32', [3], [0, 8]),
      'float32 of shape [3] does not fill its bytes: [0,8]',
    ],
    [
      'too many bytes',
      entry('F32', [1], [0, 8]),
      'float32 of shape [1] does not fill its bytes: [0,8]',
    ],
    [
      'a product that overflows 64 bits to 8',
      entry('U8', [2 ** 33, 2 ** 33 + 2, 2 ** 30], [0, 8]),
      'uint8 of shape [8589934592, 8589934594, 1073741824] does not fill its bytes: [0,8]',
    ],
    [
      'a product that rounding would hide',
      entry('U8', [3, 3002399751580331], [0, 9007199254740992 - 2]),
      'uint8 of shape [3, 3002399751580331] does not fill its bytes: [0,9007199254740990]',
    ],
    ['a list instead of an entry', '[1]', 'entry must be an object: [1]'],
  ])('%s', (_, value, message) => {
    expect(refusal(written(`{"a":${value}}`, 8))).toEqual({
      message: `tensor a: ${message}`,
      offset: 8,
      tensor: 'a',
    });
  });
});

describe('rule 8: spans cover the data, each byte once', () => {
  test.each([
    [
      'two tensors on the same bytes',
      pair([0, 8], [0, 8]),
      8,
      'tensors overlap: b begins inside a',
      0,
    ],
    ['overlap by one byte', pair([0, 5], [4, 8]), 8, 'tensors overlap: b begins inside a', 4],
    ['one inside the other', pair([2, 3], [0, 8]), 8, 'tensors overlap: a begins inside b', 2],
    ['a hole of one byte', pair([0, 4], [5, 8]), 8, '1 bytes before b belong to no tensor', 4],
    ['a hole at the start', pair([2, 4], [4, 8]), 8, '2 bytes before a belong to no tensor', 0],
    [
      'bytes after the end',
      pair([0, 4], [4, 8]),
      9,
      '1 bytes after the last tensor belong to none',
      8,
    ],
    ['bytes and no tensor', '{}', 3, '3 bytes after the last tensor belong to none', 0],
  ])('%s', (_, header, data, message, offset) => {
    const found = refusal(written(header, data));
    expect([found.message, found.offset]).toEqual([message, 8 + header.length + offset]);
  });

  test('a file cut off at any byte of its data says where', () => {
    const header = pair([0, 4], [4, 8]);
    for (let data = 0; data < 8; data++) {
      const tensor = data < 4 ? 'a' : 'b';
      const end = 8 + header.length + (data < 4 ? 4 : 8);
      expect(refusal(written(header, data))).toEqual({
        message: `file is truncated: tensor ${tensor} ends at byte ${end}, the file at ${8 + header.length + data}`,
        offset: end - 4,
        tensor,
      });
    }
  });
});

describe('abuse', () => {
  test('a file cut off anywhere is refused', () => {
    const header = new TextEncoder().encode(`{"a":${good}}`);
    const whole = new Uint8Array(8 + header.length + 8);
    new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
    whole.set(header, 8);
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(fileOf(whole.slice(0, length))).message).not.toBe('');
    }
  });

  test('a name of a megabyte does not fill the message', () => {
    const found = refusal(written(`{"${'x'.repeat(2 ** 20)}":1}`));
    expect([found.message.length < 400, found.tensor?.length]).toEqual([true, 300]);
  });

  test('100,000 tensors are read', () => {
    const entries = Array.from(
      { length: 100_000 },
      (_, i) => `"${i}.w":${entry('U8', [1], [i, i + 1])}`,
    );
    const tensors = openSafetensors(written(`{${entries.join(',')}}`, 100_000));
    expect(tensors.names.length).toBe(100_000);
    tensors.close();
  });

  test('a changed bit in the header is refused or reads the same number of bytes, and never crashes', () => {
    const header = `{"__metadata__":{"format":"pt"},"a":${entry('F32', [2], [0, 8])},"b":${entry('U8', [4], [8, 12])}}`;
    const whole = new TextEncoder().encode(`01234567${header}012345678901`);
    new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
    const outcomes = { read: 0, refused: 0 };
    for (let bit = 0; bit < (8 + header.length) * 8; bit++) {
      const mutant = whole.slice();
      mutant[bit >> 3] ^= 1 << (bit & 7);
      const path = fileOf(mutant);
      try {
        const tensors = openSafetensors(path);
        const bytes = tensors.names.reduce(
          (sum, name) => sum + tensors.get(name)!.read().length,
          0,
        );
        tensors.close();
        expect(bytes).toBe(12);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof LatheError)) throw error;
        outcomes.refused++;
      }
      rmSync(path);
    }
    expect(outcomes.refused).toBeGreaterThan(outcomes.read);
  });
});
