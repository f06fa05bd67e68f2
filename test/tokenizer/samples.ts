import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  openTokenizer,
  type Tokenizer,
  type TokenizerFiles,
} from '../../main/tokenizer/tokenizer.ts';

const ROOT = join(import.meta.dirname, '../..');
export const TINY_STORIES = join(ROOT, 'resources/models/tiny-stories');
export const STORIES_260K = join(ROOT, '../shared/data/models/stories260K');
export const HAS_STORIES_260K = existsSync(STORIES_260K);
if (!HAS_STORIES_260K)
  process.stdout.write(`not run: tests on ${STORIES_260K}, which is missing\n`);

/** Opens the tokenizer of a model folder. */
export function openFolder(folder: string): Tokenizer {
  const file = (name: string): TokenizerFiles['tokenizer'] => {
    const path = join(folder, name);
    return { path, bytes: readFileSync(path) };
  };
  return openTokenizer({
    tokenizer: file('tokenizer.json'),
    config: file('tokenizer_config.json'),
    generation: file('generation_config.json'),
    modelConfig: file('config.json'),
  });
}

/** A file that holds a JSON value. */
export function jsonFile(name: string, value: unknown): TokenizerFiles['tokenizer'] {
  return { path: `/models/m/${name}`, bytes: Buffer.from(JSON.stringify(value)) };
}

/** Opens a tokenizer.json given as a value, with further files as values. */
export function openJson(tokenizer: unknown, others: Record<string, unknown> = {}): Tokenizer {
  return openTokenizer({
    tokenizer: jsonFile('tokenizer.json', tokenizer),
    ...Object.fromEntries(
      Object.entries(others).map(([key, value]) => [key, jsonFile(`${key}.json`, value)]),
    ),
  });
}

/** The characters that GPT-2's alphabet writes for the 256 bytes, in their order. */
export function byteAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const shown = String.fromCodePoint(byte);
    const printable = /[!-~¡-¬®-ÿ]/.test(shown);
    return printable ? shown : String.fromCodePoint(next++);
  });
}

function vocabularyOf(tokens: string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

function special(id: number, content: string): object {
  return { id, content, special: true, normalized: false };
}

const BYTES = byteAlphabet();

/** Byte-level BPE as GPT-2: 256 bytes, some merges, one plain and one special added token. */
export const BYTE_LEVEL = {
  added_tokens: [
    special(262, '<|end|>'),
    { id: 263, content: '<tool>', special: false, normalized: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: vocabularyOf([...BYTES, 'Ġt', 'he', 'Ġthe', 'Ã©', 'ðŁ', 'ĺĢ']),
    merges: [
      ['Ġ', 't'],
      ['h', 'e'],
      ['Ġt', 'he'],
      ['Ã', '©'],
      ['ð', 'Ł'],
      ['ĺ', 'Ģ'],
    ],
  },
};

const FALLBACK_TOKENS = [
  '<unk>',
  '<s>',
  '</s>',
  ...Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  ),
  '▁',
  '▁▁',
  'a',
  'b',
  'é',
  '▁a',
  'ab',
  '▁ab',
  '中',
];

/** SentencePiece-style BPE as Llama 2: byte fallback, a space put before the text and taken off. */
export const BYTE_FALLBACK = {
  added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: vocabularyOf(FALLBACK_TOKENS),
    merges: ['▁ ▁', '▁ a', 'a b', '▁ ab'],
  },
};

/** The same without Prepend and Strip, as Gemma. */
export const BYTE_FALLBACK_PLAIN = {
  ...BYTE_FALLBACK,
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  decoder: { type: 'Sequence', decoders: BYTE_FALLBACK.decoder.decoders.slice(0, 3) },
};

export const UNIGRAM = {
  added_tokens: [special(0, '<unk>')],
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
  post_processor: null,
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['▁', -2],
      ['▁the', -3],
      ['▁c', -4],
      ['at', -5],
      ['a', -6],
      ['t', -6],
      ['▁▁', -7],
      ['é', -8],
    ],
  },
};

export const WORD_PIECE = {
  added_tokens: [special(0, '[UNK]'), special(1, '[SEP]')],
  normalizer: { type: 'BertNormalizer', lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    vocab: vocabularyOf(['[UNK]', '[SEP]', 'play', '##ing', '##ed', '.', ',', "'", 'the', "n't"]),
  },
};

/** As openai-gpt: words end in a suffix that decodes to a space, but for the last. */
export const SUFFIXED = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: { type: 'BPEDecoder', suffix: '</w>' },
  model: {
    type: 'BPE',
    end_of_word_suffix: '</w>',
    vocab: vocabularyOf(['a', 'b', 'a</w>', 'b</w>', 'ab</w>', 'ba']),
    merges: ['a b</w>', 'b a'],
  },
};

/** Decoders under which later tokens may change earlier text. */
export const CHANGES_EARLIER_TEXT = {
  ...BYTE_FALLBACK,
  decoder: {
    type: 'Sequence',
    decoders: [
      ...BYTE_FALLBACK.decoder.decoders.slice(0, 3),
      { type: 'Replace', pattern: { String: 'a b' }, content: 'A' },
      { type: 'Strip', content: ' ', start: 0, stop: 2 },
    ],
  },
};
