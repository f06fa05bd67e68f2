import { describe, expect, test } from 'vitest';
import { openTokenizer } from '../../main/tokenizer/tokenizer.ts';
import { BYTE_FALLBACK, BYTE_LEVEL, openJson, UNIGRAM, WORD_PIECE } from './samples.ts';

const PATH = '/models/m/tokenizer.json';

function openText(text: string | Uint8Array): unknown {
  return openTokenizer({ tokenizer: { path: PATH, bytes: Buffer.from(text) } });
}

/** The sample with changes to its model. */
function withModel(changes: Record<string, unknown>): unknown {
  return { ...BYTE_LEVEL, model: { ...BYTE_LEVEL.model, ...changes } };
}

function failure(open: () => unknown): unknown {
  try {
    open();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

describe('a file that is no tokenizer.json is tokenizer_invalid and says where', () => {
  test.each([
    ['no JSON', 'hello', 'tokenizer.json is not JSON: Unexpected token \'h\', "hello"', undefined],
    ['cut off', '{"model": {"type": "BPE",', 'tokenizer.json is not JSON', 25],
    ['wrong after some Chinese', '{"中文": 1, oops}', 'tokenizer.json is not JSON', 14],
    ['nothing', '', 'tokenizer.json is not JSON', 0],
    ['a list', '[]', 'does not hold an object: a list of 0', 0],
    ['null', 'null', 'does not hold an object: null', 0],
  ])('%s', (_name, text, message, offset) => {
    expect(failure(() => openText(text))).toMatchObject({
      name: 'LatheError',
      code: 'tokenizer_invalid',
      message: expect.stringContaining(message),
      data: offset === undefined ? { file: PATH } : { file: PATH, offset },
    });
  });

  test('bytes that are no UTF-8', () => {
    expect(failure(() => openText(Uint8Array.of(0x7b, 0xff, 0x7d)))).toMatchObject({
      code: 'tokenizer_invalid',
      message: 'tokenizer.json is not UTF-8',
      data: { file: PATH },
    });
  });

  test('more than 64 MB is file_too_large and not parsed', () => {
    const bytes = new Uint8Array(64 * 1024 * 1024 + 1);
    expect(failure(() => openTokenizer({ tokenizer: { path: PATH, bytes } }))).toMatchObject({
      code: 'file_too_large',
      data: { file: PATH, value: '67108865' },
    });
  });
});

const long = 'x'.repeat(5000);
const manyMerges = Array.from({ length: 4_000_001 }, () => 0);

describe('a tokenizer.json of the wrong kind is tokenizer_invalid and names the entry', () => {
  test.each([
    ['a model configuration', { model_type: 'llama' }, 'a tokenizer needs a model: null'],
    ['model is a name', { model: 'BPE' }, 'a tokenizer needs a model: "BPE"'],
    ['an unknown model', withModel({ type: 'WordLevel' }), 'not supported: "WordLevel"'],
    ['the type is no text', withModel({ type: 7 }), 'not supported: 7'],
    ['no vocabulary', withModel({ vocab: undefined }), 'not a map of tokens to ids: null'],
    ['a list for a map', withModel({ vocab: ['a'] }), 'not a map of tokens to ids: a list of 1'],
    ['an empty vocabulary', withModel({ vocab: {} }), 'the vocabulary is empty'],
    ['a negative id', withModel({ vocab: { a: -1 } }), 'the id of token "a" is not a whole number'],
    ['half an id', withModel({ vocab: { a: 0.5 } }), 'from 0 to 1999999: 0.5'],
    ['an id as text', withModel({ vocab: { a: '0' } }), 'from 0 to 1999999: "0"'],
    ['an id of 2^31', withModel({ vocab: { a: 2 ** 31 } }), 'from 0 to 1999999: 2147483648'],
    ['an id twice', withModel({ vocab: { a: 1, b: 2, c: 1 } }), 'the id 1: "a and c"'],
    ['a long token', withModel({ vocab: { [long]: 0 } }), 'a token is longer than 4096 characters'],
    ['no merges', withModel({ merges: undefined }), 'the merges are not a list: null'],
    ['merges as a map', withModel({ merges: {} }), 'the merges are not a list: an object'],
    ['half a merge', withModel({ merges: ['a b', 'a'] }), 'merge 1 is not a pair of tokens: "a"'],
    ['a merge of three', withModel({ merges: ['a b c'] }), 'merge 0 is not a pair'],
    ['a merge of numbers', withModel({ merges: [[1, 2]] }), 'merge 0 is not a pair'],
    ['merges of both kinds', withModel({ merges: [['a', 'b'], 'a b'] }), 'merge 1 is not a pair'],
    ['a merge that is null', withModel({ merges: ['a b', null] }), 'merge 1 is not a pair'],
    ['4,000,001 merges', withModel({ merges: manyMerges }), 'more than 4000000 merges: 4000001'],
    ['added tokens as a map', { ...BYTE_LEVEL, added_tokens: {} }, 'added tokens are not a list'],
    ['an added token without text', { ...BYTE_LEVEL, added_tokens: [{ id: 1 }] }, 'added token 0'],
    [
      'an added token without id',
      { ...BYTE_LEVEL, added_tokens: [{ content: 'x' }] },
      'the id of token "x"',
    ],
    [
      'two added tokens with one id',
      {
        ...BYTE_LEVEL,
        added_tokens: [
          { id: 1, content: 'x' },
          { id: 1, content: 'y' },
        ],
      },
      'two added tokens have the id 1: "x and y"',
    ],
    [
      'Unigram scores missing',
      { ...UNIGRAM, model: { ...UNIGRAM.model, vocab: [['a', 0], ['b']] } },
      'entry 1 of the vocabulary is not a token with a score: a list of 1',
    ],
    [
      'Unigram vocabulary as a map',
      { ...UNIGRAM, model: { ...UNIGRAM.model, vocab: { a: 0 } } },
      'not a list of tokens with scores: an object',
    ],
    [
      'Unigram unk_id outside',
      { ...UNIGRAM, model: { ...UNIGRAM.model, unk_id: 99 } },
      'unk_id is no id of the vocabulary: 99',
    ],
    [
      'WordPiece without prefix',
      { ...WORD_PIECE, model: { ...WORD_PIECE.model, continuing_subword_prefix: undefined } },
      'continuing_subword_prefix is not a text: null',
    ],
    ['an unknown decoder', { ...BYTE_LEVEL, decoder: { type: 'Rot13' } }, 'decoder type: Rot13'],
    [
      'an unknown pre-tokenizer',
      { ...BYTE_LEVEL, pre_tokenizer: { type: 'X' } },
      'PreTokenizer type: X',
    ],
    ['an unknown normalizer', { ...BYTE_LEVEL, normalizer: { type: 'X' } }, 'Normalizer type: X'],
    ['an unknown post-processor', { ...BYTE_LEVEL, post_processor: { type: 'X' } }, 'type: X'],
    [
      'a broken pattern',
      { ...BYTE_LEVEL, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, invert: true } },
      'tokenizer.json is not usable: Invalid regular expression',
    ],
    [
      'a template without its parts',
      { ...BYTE_LEVEL, post_processor: { type: 'TemplateProcessing' } },
      'is not usable',
    ],
    ['a decoder that is a number', { ...BYTE_LEVEL, decoder: 5 }, 'is not usable'],
  ])('%s', (_name, json, message) => {
    const error = failure(() => openJson(json)) as Error;
    expect(error).toMatchObject({
      name: 'LatheError',
      code: 'tokenizer_invalid',
      data: { file: PATH },
    });
    expect(error.message.toLowerCase()).toContain(message.toLowerCase());
  });

  test('sequences nested 100,000 deep', () => {
    const deep = '{"type":"Sequence","normalizers":['.repeat(100_000) + ']}'.repeat(100_000);
    const text = JSON.stringify(BYTE_LEVEL).replace('"normalizer":null', `"normalizer":${deep}`);
    expect(failure(() => openText(text))).toMatchObject({ code: 'tokenizer_invalid' });
  });
});

describe('files as older and fine-tuned models have them', () => {
  test('without the parts that may be null', () => {
    const { model, added_tokens } = BYTE_LEVEL;
    expect(openJson({ model, added_tokens }).encode('h')).toEqual([104]);
    expect(openJson({ model }).vocabularySize).toBe(262);
  });

  test.each([
    ['BPE', { ...BYTE_LEVEL, model: { ...BYTE_LEVEL.model, type: undefined } }],
    ['Unigram', { ...UNIGRAM, model: { ...UNIGRAM.model, type: undefined } }],
    ['WordPiece', { ...WORD_PIECE, model: { ...WORD_PIECE.model, type: undefined } }],
  ])('without the type of a %s model', (_name, json) => {
    expect(openJson(json).vocabularySize).toBeGreaterThan(0);
  });

  test('an added token may take the place of a vocabulary entry', () => {
    const added = [{ id: 104, content: '<|im_start|>', special: true }];
    const tokenizer = openJson({ ...BYTE_LEVEL, added_tokens: added });
    expect(tokenizer.token(104).text).toBe('<|im_start|>');
    expect(tokenizer.encode('<|im_start|>x')).toEqual([104, 120]);
  });

  test('ids may have gaps, and tokens may be named like properties of objects', () => {
    const vocab: unknown = JSON.parse(
      '{"__proto__": 5, "constructor": 900, "toString": 7, "a": 0}',
    );
    const tokenizer = openJson(withModel({ vocab, merges: [] }));
    expect(tokenizer.vocabularySize).toBe(901);
    expect(tokenizer.token(5).text).toBe('__proto__');
    expect(tokenizer.token(6).text).toBe('');
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  test('a text that the vocabulary has no token for is tokenizer_invalid', () => {
    const json = withModel({ vocab: { a: 0 }, merges: [] });
    const template = {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<none>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
    };
    const tokenizer = openJson({ ...(json as object), post_processor: template });
    expect(() => tokenizer.encode('a')).toThrow('no token for a part of the text: "<none>"');
    expect(tokenizer.encode('a', { specials: false })).toEqual([0]);
  });
});

test('a text too long for the library is a typed error that says how long', () => {
  expect(() => openJson(UNIGRAM).encode('ta'.repeat(300_000))).toThrow(
    expect.objectContaining({
      code: 'tokenizer_invalid',
      message: expect.stringContaining('fails on a text of 600000 characters'),
    }),
  );
});

test('hostile names pollute no prototype', () => {
  const text = JSON.stringify(BYTE_FALLBACK).replace(
    '"added_tokens":',
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"added_tokens":',
  );
  openText(text);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
