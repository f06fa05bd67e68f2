import { describe, expect, test } from 'vitest';
import { parseJson, type JsonValue } from '../../main/formats/json.ts';
import { createRandom, type Random } from '../../main/numeric/random.ts';
import { LatheError } from '../../preload/contract/errors.ts';

const encoder = new TextEncoder();

function parse(text: string): JsonValue {
  return parseJson(encoder.encode(text), { file: 'f', offset: 100 });
}

/** The platform's view of what `parse` gave. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
}

const accepted = [
  'null',
  'true',
  ' [ false , 0 , -0 , 1.5e-3 , 1E+2 , 10 ] ',
  '"\\u00e9\\n\\"\\\\\\/"',
  '"é😀"',
  '{}',
  '[]',
  '{"":[{}],"a b":{"c":"\\ud800"}}',
  '\t\r\n1',
  '123456789012345678901234567890',
  '1e400',
  '"\u007f\u2028"',
];
const refused = [
  '',
  ' ',
  '[',
  ']',
  '[1,]',
  '[,1]',
  '[1 2]',
  '{',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '01',
  '-',
  '+1',
  '.5',
  '1.',
  '1e',
  '0x1',
  'NaN',
  'Infinity',
  'nul',
  'nulls',
  'True',
  '"',
  '"\\"',
  '"\\x"',
  '"\\u12g4"',
  '"\n"',
  '"\t"',
  '1 2',
  '{}{}',
  '[1]]',
  '\u00a01',
  '\ufeff1',
  '// c\n1',
  '{"a":1 "b":2}',
  '[1;2]',
];

describe('strict JSON', () => {
  test.each(accepted)('reads %j as JSON.parse does', (text) => {
    expect(plain(parse(text))).toEqual(JSON.parse(text));
  });

  test.each(refused)('refuses %j as JSON.parse does', (text) => {
    expect(() => {
      JSON.parse(text);
    }).toThrow(SyntaxError);
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'file_malformed' }));
  });

  test('agrees with JSON.parse on 20,000 random edits of a document', () => {
    const random = createRandom(5);
    const start = '{"a":[1,-2.5e3,"x\\n",true,null],"b":{"c":"é"},"d":[]}';
    const disagreed = Array.from({ length: 20_000 }, () => edited(start, random)).filter((text) => {
      const ours = outcome(() => plain(parse(text)));
      const theirs = outcome(() => JSON.parse(text));
      return ours !== theirs && !ours.includes('twice');
    });
    expect(disagreed).toEqual([]);
  });

  test('names the byte, not the character, of a fault', () => {
    expect(() => parse('["é😀",x]')).toThrow(
      expect.objectContaining({ data: { file: 'f', offset: 110 } }),
    );
  });

  test('refuses a key that comes twice, at any depth and however it is written', () => {
    expect(() => parse('[{"a":{"b":1,"\\u0062":2}}]')).toThrow(
      expect.objectContaining({ data: { file: 'f', offset: 113 } }),
    );
    expect(plain(parse('[{"a":1},{"a":{"a":2}}]'))).toEqual([{ a: 1 }, { a: { a: 2 } }]);
  });

  test('reads 64 levels and refuses the next', () => {
    const [deepest, deeper] = [64, 65].map((depth) => '['.repeat(depth) + ']'.repeat(depth));
    expect(() => parse(deepest)).not.toThrow();
    expect(() => parse(deeper)).toThrow('nesting deeper than 64');
  });
});

function edited(text: string, random: Random): string {
  const at = Math.floor(random.next() * text.length);
  const characters = '{}[]",:\\0123456789eE.-+ntrufalse \n';
  const put = characters[Math.floor(random.next() * characters.length)];
  const removed = Math.floor(random.next() * 3);
  return text.slice(0, at) + (random.next() < 0.7 ? put : '') + text.slice(at + removed);
}

function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read());
  } catch (error) {
    if (error instanceof LatheError) return error.message.includes('twice') ? 'twice' : 'refused';
    return 'refused';
  }
}
