import { expect, it } from 'vitest';
import { encodePrompt } from '../../main/inference/prompt.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';

/** Tokens are code points; special tokens around a text are 1 and 2. */
const tokenizer: Tokenizer = {
  encode: (text, { specials = true } = {}) => {
    const ids = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    return specials ? [1, ...ids, 2] : ids;
  },
  decode: (ids) => String.fromCodePoint(...ids),
  token: () => ({ text: '', bytes: new Uint8Array() }),
  streamDecoder: () => ({ push: () => '', flush: () => '' }),
  vocabularySize: 128,
  endOfText: new Set([2]),
  beginOfText: 1,
  chatTemplate:
    '{{ bos_token }}{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% endfor %}>',
  fallback: () => null,
  templateTokens: { bos_token: '^' },
};

it('puts special tokens around a completion', async () => {
  expect(await encodePrompt(tokenizer, { kind: 'completion', text: 'A' })).toEqual([1, 65, 2]);
});

it('renders a chat by the template, which writes the special tokens itself', async () => {
  const messages = [{ role: 'user' as const, content: 'A' }];
  const ids = await encodePrompt(tokenizer, { kind: 'chat', messages });
  expect(tokenizer.decode(ids)).toBe('^u:A>');
});

it('begins where nothing is given with the begin-of-text token', async () => {
  const bare = { ...tokenizer, encode: () => [] };
  const prompt = { kind: 'completion', text: '' } as const;
  expect(await encodePrompt(bare, prompt)).toEqual([1]);
  await expect(encodePrompt({ ...bare, beginOfText: null }, prompt)).rejects.toMatchObject({
    code: 'usage',
  });
});

it('refuses a chat where the model has no template for it', async () => {
  const messages = [{ role: 'user' as const, content: 'A' }];
  const bare = { ...tokenizer, chatTemplate: null };
  await expect(encodePrompt(bare, { kind: 'chat', messages })).rejects.toMatchObject({
    code: 'template_invalid',
  });
});
