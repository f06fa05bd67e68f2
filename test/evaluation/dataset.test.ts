import { describe, expect, test } from 'vitest';
import { limited, parseData } from '../../main/evaluation/dataset.ts';
import type { DataKind } from '../../preload/contract/evaluation.ts';

const read = (text: string, file: string, kind: DataKind, fields: Record<string, string> = {}) =>
  parseData(text, file, { kind, fields }).items;

/** The message of the typed error. */
function refusal(...args: Parameters<typeof read>): string {
  try {
    read(...args);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return 'accepted';
}

describe('data sets', () => {
  test('a text file is one document, or as many as its separators make', () => {
    expect(read('one\n\ntwo\n', 'a.txt', 'documents')).toEqual([{ text: 'one\n\ntwo' }]);
    expect(read('one\n<|endoftext|>\r\ntwo\n<|endoftext|>\n', 'a.txt', 'documents')).toEqual([
      { text: 'one' },
      { text: 'two' },
    ]);
  });

  test('JSON arrays and JSON lines hold texts or objects, under names of published sets or mapped', () => {
    expect(read('["a", {"text": "b"}]', 'a.json', 'documents')).toHaveLength(2);
    expect(read('"a"\n\n{"story": "b"}\n', 'a.jsonl', 'documents')).toEqual([
      { text: 'a' },
      { text: 'b' },
    ]);
    const choice = '{"query": "q", "choices": ["x", "y"], "gold": 1}';
    expect(read(choice, 'a.jsonl', 'choices')).toEqual([
      { context: 'q', choices: ['x', 'y'], answer: 1 },
    ]);
    const pair = '{"sentence_good": "g", "sentence_bad": "b"}';
    expect(read(pair, 'a.jsonl', 'pairs')).toEqual([{ good: 'g', bad: 'b' }]);
    expect(
      read('{"context": "c", "x": "d"}', 'a.jsonl', 'continuations', { continuation: 'x' }),
    ).toEqual([{ prompt: 'c', continuation: 'd' }]);
  });

  test('tables name their columns in the first line', () => {
    expect(read('good\tbad\ng\tb\n', 'a.tsv', 'pairs')).toEqual([{ good: 'g', bad: 'b' }]);
  });

  test('a limit takes the first items', () => {
    const data = parseData('["a", "b", "c"]', 'a.json', { kind: 'documents', fields: {} });
    expect(limited(data, 2).items).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect(limited(data, undefined).items).toHaveLength(3);
  });
});

test.each<[string, ...Parameters<typeof read>]>([
  [
    'file_malformed: line 1 has no field "text", which documents have; it has none (a.jsonl)',
    '{}',
    'a.jsonl',
    'documents',
  ],
  [
    'file_malformed: line 2 has no field "text", which documents have; it has "txt", "b" (a.jsonl)',
    '"a"\n{"txt": 1, "b": 2}',
    'a.jsonl',
    'documents',
  ],
  [
    'file_malformed: line 2 has no field "story", which documents have; it has "text" (a.tsv)',
    'text\nb',
    'a.tsv',
    'documents',
    { text: 'story' },
  ],
  [
    'file_malformed: item 1 is no object with fields (a.json)',
    '["a"]',
    'a.json',
    'documents',
    { text: 'story' },
  ],
  ['file_malformed: item 2: "text" is empty (a.json)', '["a", " "]', 'a.json', 'documents'],
  [
    'file_malformed: line 3: "text" is empty (a.txt)',
    'a\n<|endoftext|>\n\n<|endoftext|>\nb',
    'a.txt',
    'documents',
  ],
  ['file_malformed: line 1: "text" is empty (a.txt)', '\n<|endoftext|>\nb', 'a.txt', 'documents'],
  ['file_malformed: there is nothing in it (a.txt)', '', 'a.txt', 'documents'],
  [
    'file_malformed: line 2 has 1 columns, the first line names 2 (a.tsv)',
    'good\tbad\ng',
    'a.tsv',
    'pairs',
  ],
  [
    'file_malformed: line 1: "answer" must be an index below 2: 2 (a.jsonl)',
    '{"context":"", "choices":["x","y"], "answer":2}',
    'a.jsonl',
    'choices',
  ],
  [
    'file_malformed: line 1: "choices" must be a list of two or more texts (a.jsonl)',
    '{"context":"", "choices":["x"], "answer":0}',
    'a.jsonl',
    'choices',
  ],
  ['file_malformed: it must be an array of texts or objects (a.json)', '{}', 'a.json', 'documents'],
  ['usage: data must be .txt, .json, .jsonl or .tsv: a.csv', 'a', 'a.csv', 'documents'],
  [
    'usage: pairs have the fields good, bad, not this one: text',
    '',
    'a.tsv',
    'pairs',
    { text: 'x' },
  ],
])('refuses with: %s', (message, ...args) => {
  expect(refusal(...args)).toBe(message);
});

test('what is no JSON is refused with its line', () => {
  expect(refusal('"a"\n{', 'a.jsonl', 'documents')).toMatch(/^file_malformed: line 2 is not JSON/);
});
