import { describe, expect, test } from 'vitest';
import { createRandom, type Random } from '../../main/numeric/random.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import {
  BYTE_FALLBACK,
  BYTE_FALLBACK_PLAIN,
  BYTE_LEVEL,
  CHANGES_EARLIER_TEXT,
  HAS_STORIES_260K,
  openFolder,
  openJson,
  STORIES_260K,
  SUFFIXED,
  TINY_STORIES,
  UNIGRAM,
  WORD_PIECE,
} from './samples.ts';

const TOKENIZERS: [string, Tokenizer][] = [
  ['the embedded model', openFolder(TINY_STORIES)],
  ['byte-level BPE', openJson(BYTE_LEVEL)],
  ['BPE with byte fallback', openJson(BYTE_FALLBACK)],
  ['BPE with byte fallback that strips nothing', openJson(BYTE_FALLBACK_PLAIN)],
  ['Unigram', openJson(UNIGRAM)],
  ['WordPiece', openJson(WORD_PIECE)],
  ['BPE with a word suffix', openJson(SUFFIXED)],
  ['no decoder', openJson({ ...BYTE_FALLBACK, decoder: null })],
];
if (HAS_STORIES_260K) TOKENIZERS.push(['stories260K', openFolder(STORIES_260K)]);

/** Random ids: special ones, some outside the vocabulary, runs of bytes, runs of the same. */
function randomIds(random: Random, { vocabularySize }: Tokenizer): number[] {
  const ids: number[] = [];
  const length = integer(random, 120);
  while (ids.length < length) {
    const near = integer(random, vocabularySize + 3);
    const run = 1 + integer(random, 6);
    const kind = random.next();
    for (let i = 0; i < run; i += 1) {
      if (kind < 0.3) ids.push(near);
      else if (kind < 0.7) ids.push(integer(random, Math.min(vocabularySize, 264)));
      else ids.push(integer(random, vocabularySize + 3));
    }
  }
  return ids;
}

/** Token ids of the UTF-8 bytes of a text, one token a byte. */
function byteIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = new Map<number, number>();
  for (let id = 0; id < tokenizer.vocabularySize; id += 1) {
    const { bytes } = tokenizer.token(id);
    if (bytes.length === 1 && !ids.has(bytes[0])) ids.set(bytes[0], id);
  }
  return [...Buffer.from(text)].map((byte) => ids.get(byte) ?? -1);
}

function streamed(tokenizer: Tokenizer, ids: number[], before?: number[]): string {
  const decoder = tokenizer.streamDecoder(before);
  return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
}

describe.each(TOKENIZERS)('streaming with %s', (_name, tokenizer) => {
  test('gives in pieces exactly what decoding all at once gives', () => {
    const random = createRandom(31);
    for (let round = 0; round < 150; round += 1) {
      const ids = randomIds(random, tokenizer);
      expect({ ids, text: streamed(tokenizer, ids) }).toEqual({ ids, text: tokenizer.decode(ids) });
    }
  });

  test('continues a text wherever it is cut, half characters included', () => {
    const random = createRandom(32);
    for (let round = 0; round < 150; round += 1) {
      const ids = randomIds(random, tokenizer);
      const cut = integer(random, ids.length);
      const before = tokenizer.decode(ids.slice(0, cut)).replace(/\uFFFD$/, '');
      // With nothing visible before, the beginning of a text and its continuation differ.
      if (before === '') continue;
      const whole = tokenizer.decode(ids);
      const text = streamed(tokenizer, ids.slice(cut), ids.slice(0, cut));
      expect({ ids, cut, text }).toEqual({ ids, cut, text: whole.slice(before.length) });
    }
  });
});

const SPELLS_BYTES = TOKENIZERS.filter(
  ([name]) =>
    name !== 'no decoder' && byteIds(TOKENIZERS.find(([n]) => n === name)![1], 'é')[0] >= 0,
);

describe.each(SPELLS_BYTES)('characters spelt by byte tokens with %s', (_name, tokenizer) => {
  test.each(['é', '中', '😀', '👩‍👩‍👧', 'a\u0301', '\u{10FFFF}'])(
    '%s shows only when complete',
    (text) => {
      const decoder = tokenizer.streamDecoder([]);
      const ids = byteIds(tokenizer, text);
      const pieces = ids.map((id) => decoder.push(id));
      expect(pieces.join('')).toBe(text);
      expect(pieces.join('')).not.toContain('\uFFFD');
      for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
      expect(decoder.flush()).toBe('');
    },
  );

  test('an incomplete character becomes U+FFFD at the end, and not before', () => {
    const decoder = tokenizer.streamDecoder([]);
    const pieces = byteIds(tokenizer, '😀')
      .slice(0, 3)
      .map((id) => decoder.push(id));
    expect(pieces).toEqual(['', '', '']);
    expect(decoder.flush()).toBe('\uFFFD');
    expect(decoder.flush()).toBe('');
  });

  test('bytes that never become a character do not hold back what follows', () => {
    const [lead] = byteIds(tokenizer, '😀');
    const decoder = tokenizer.streamDecoder([]);
    const pieces = Array.from({ length: 200 }, () => decoder.push(lead));
    expect(pieces.join('')).toBe('\uFFFD'.repeat(199));
    expect(decoder.push(byteIds(tokenizer, 'a')[0])).toBe('\uFFFDa');
  });

  test('a byte order mark within the text is shown or not as when decoding all at once', () => {
    for (const text of ['\uFEFFa', 'a\uFEFF', 'é\uFEFF\uFEFFb', '\uFEFF'.repeat(40)]) {
      const ids = byteIds(tokenizer, text);
      expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
    }
  });

  test('the bytes of the tokens, joined, are the UTF-8 of the text', () => {
    const text = 'a é 中 😀\n';
    const bytes = tokenizer
      .encode(text, { specials: false })
      .map((id) => tokenizer.token(id).bytes);
    const spelt = Buffer.concat(bytes).toString();
    // A tokenizer that puts a space before the text has it in the first token.
    expect([text, ` ${text}`]).toContain(spelt);
  });

  test('every byte has exactly the token that spells it', () => {
    const all = Array.from({ length: 256 }, (_, byte) => byte);
    const spelt = new Set(
      Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.token(id).bytes)
        .filter(({ length }) => length === 1)
        .map(([byte]) => byte),
    );
    expect([...spelt].toSorted((a, b) => a - b)).toEqual(all);
  });
});

describe('a leading space', () => {
  const tokenizer = openJson(BYTE_FALLBACK);
  const [space] = tokenizer.encode(' ', { specials: false });
  const word = tokenizer.encode('ab', { specials: false });

  test('is taken off where the text begins, as when decoding all at once', () => {
    expect(tokenizer.decode(word)).toBe('ab');
    expect(streamed(tokenizer, word)).toBe('ab');
  });

  test('stays in a continuation, even behind nothing but special tokens', () => {
    expect(streamed(tokenizer, word, [])).toBe(' ab');
    expect(streamed(tokenizer, word, [1])).toBe(' ab');
    expect(streamed(tokenizer, word, word)).toBe(' ab');
  });

  test('is taken off once only, however many spaces follow', () => {
    const ids = [...Array.from({ length: 100 }, () => space), ...word];
    expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
    expect(tokenizer.token(word[0]).text).toBe(' a');
  });
});

describe('special tokens', () => {
  const tokenizer = openJson(BYTE_LEVEL);

  test('do not show in text', () => {
    expect(streamed(tokenizer, [262, 104, 262, 105, 262])).toBe(tokenizer.decode([104, 105]));
    expect(tokenizer.decode([262])).toBe('');
    expect(tokenizer.decode([])).toBe('');
  });

  test('show as themselves when asked for by id', () => {
    const { text, bytes } = tokenizer.token(262);
    expect([text, Buffer.from(bytes).toString()]).toEqual(['<|end|>', '<|end|>']);
  });

  test('endless ones cost nothing and leave the text around them whole', () => {
    const ids = [0xf0, 0x9f, ...Array.from({ length: 5000 }, () => 262), 0x98, 0x80];
    expect(streamed(tokenizer, ids)).toBe('😀');
  });

  test('written in a text become the token, with and without specials', () => {
    expect(tokenizer.encode('h<|end|>h')).toEqual([104, 262, 104]);
    expect(tokenizer.encode('h<|end|>h', { specials: false })).toEqual([104, 262, 104]);
  });

  test('that the model expects are added unless told not to', () => {
    const llama = openJson(BYTE_FALLBACK);
    expect(llama.encode('')).toEqual([1]);
    expect(llama.encode('', { specials: false })).toEqual([]);
    expect(llama.encode('ab')).toEqual([1, ...llama.encode('ab', { specials: false })]);
  });
});

describe('added tokens that are not special', () => {
  test('show in text as they are', () => {
    const tokenizer = openJson(BYTE_LEVEL);
    expect(tokenizer.encode('x<tool>y')).toEqual([120, 263, 121]);
    expect(streamed(tokenizer, [120, 263, 121])).toBe('x<tool>y');
    expect(tokenizer.token(263).text).toBe('<tool>');
  });
});

describe('ids without a token', () => {
  test.each(TOKENIZERS)('are empty with %s', (_name, tokenizer) => {
    expect(tokenizer.token(tokenizer.vocabularySize)).toEqual({
      text: '',
      bytes: new Uint8Array(),
    });
    expect(tokenizer.token(2 ** 31)).toEqual({ text: '', bytes: new Uint8Array() });
    expect(tokenizer.decode([tokenizer.vocabularySize])).toBe('');
  });
});

test('decoders that may change earlier text hold it all until the end', () => {
  const tokenizer = openJson(CHANGES_EARLIER_TEXT);
  const ids = tokenizer.encode('a b ab  ', { specials: false });
  const decoder = tokenizer.streamDecoder();
  expect(ids.map((id) => decoder.push(id)).join('')).toBe('');
  expect(decoder.flush()).toBe(tokenizer.decode(ids));
});

describe('encode', () => {
  test.each(TOKENIZERS.slice(0, 4))('decodes back to the same text with %s', (_name, tokenizer) => {
    for (const text of [
      '',
      'a',
      ' a',
      '  a  b ',
      'é😀中\n\n\t',
      '\u0000\uFEFFx',
      'ab'.repeat(500),
    ]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  test('takes half a surrogate pair as U+FFFD', () => {
    const [, tokenizer] = TOKENIZERS[1];
    expect(tokenizer.decode(tokenizer.encode('a\uD800b'))).toBe('a\uFFFDb');
  });

  test('refuses a text over the limit', () => {
    const [, tokenizer] = TOKENIZERS[1];
    expect(() => tokenizer.encode('a'.repeat(16 * 1024 * 1024 + 1))).toThrow(
      'text is longer than 16777216 characters: 16777217',
    );
  });

  test('takes 100,000 times the same character', () => {
    const [, tokenizer] = TOKENIZERS[0];
    expect(tokenizer.decode(tokenizer.encode('a'.repeat(100_000)))).toHaveLength(100_000);
  });
});

describe('the embedded model', () => {
  const [, tokenizer] = TOKENIZERS[0];

  test('begins and ends its texts with the same token', () => {
    expect(tokenizer.encode('Once upon a time')).toEqual([
      0,
      ...tokenizer.encode('Once upon a time', { specials: false }),
    ]);
    expect(tokenizer.beginOfText).toBe(0);
    expect([...tokenizer.endOfText]).toEqual([0]);
    expect(tokenizer.vocabularySize).toBe(2048);
  });
});

describe.runIf(HAS_STORIES_260K)('stories260K', () => {
  test('encodes as its authors do', () => {
    const tokenizer = openFolder(STORIES_260K);
    expect(tokenizer.encode('Once upon a time')).toEqual([1, 403, 407, 261, 378]);
    expect(streamed(tokenizer, [403, 407, 261, 378], [1])).toBe(' Once upon a time');
  });
});

function integer(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}
