import { describe, expect, test } from 'vitest';
import { openTokenizer, type Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import { BYTE_FALLBACK, jsonFile, openJson } from './samples.ts';

function open(others: Record<string, unknown>): Tokenizer {
  return openJson(BYTE_FALLBACK, others);
}

describe('the end of a text', () => {
  test('is every token that any file calls so', () => {
    const tokenizer = open({
      config: { eos_token: '</s>' },
      generation: { eos_token_id: [2, 260] },
      modelConfig: { eos_token_id: 259 },
    });
    expect([...tokenizer.endOfText].toSorted((a, b) => a - b)).toEqual([2, 259, 260]);
  });

  test('may be named by an object, or be missing', () => {
    expect([...open({ config: { eos_token: { content: '</s>' } } }).endOfText]).toEqual([2]);
    expect([...open({ config: { eos_token: null }, generation: {} }).endOfText]).toEqual([]);
    expect([...open({ config: { eos_token: '<no such>' } }).endOfText]).toEqual([]);
    expect([...open({ modelConfig: { eos_token_id: null } }).endOfText]).toEqual([]);
  });

  test.each([-1, 1.5, '2', {}, [2, null]])('%j is config_invalid', (eos_token_id) => {
    expect(() => open({ generation: { eos_token_id } })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('generation.json: eos_token_id is not a token id'),
      }),
    );
  });
});

describe('the beginning of a text', () => {
  test('is what the tokenizer says before the generation and the model', () => {
    const all = {
      config: { bos_token: '<s>' },
      generation: { bos_token_id: 260 },
      modelConfig: { bos_token_id: 261 },
    };
    expect(open(all).beginOfText).toBe(1);
    expect(open({ ...all, config: {} }).beginOfText).toBe(260);
    expect(open({ modelConfig: all.modelConfig }).beginOfText).toBe(261);
    expect(open({}).beginOfText).toBeNull();
  });
});

describe('texts for chat templates', () => {
  test('come from the tokenizer configuration', () => {
    const config = { bos_token: '<s>', eos_token: { content: '</s>' }, unk_token: null };
    expect(open({ config }).templateTokens).toEqual({ bos_token: '<s>', eos_token: '</s>' });
  });

  test('come from the ids where it names none', () => {
    const tokenizer = open({ modelConfig: { bos_token_id: 1, eos_token_id: [2] } });
    expect(tokenizer.templateTokens).toEqual({ bos_token: '<s>', eos_token: '</s>' });
  });
});

/** The template when this file lies beside a configuration that has one as well. */
function templateBeside(name: string, text: string): string | null {
  return openTokenizer({
    tokenizer: jsonFile('tokenizer.json', BYTE_FALLBACK),
    config: jsonFile('tokenizer_config.json', { chat_template: 'from the configuration' }),
    chatTemplate: { path: `/m/${name}`, bytes: Buffer.from(text) },
  }).chatTemplate;
}

function named(...names: string[]): unknown {
  return names.map((name) => ({ name, template: `{# ${name} #}` }));
}

describe('the chat template', () => {
  test('is a text, or the one named default, or the first', () => {
    expect(open({ config: { chat_template: 'x' } }).chatTemplate).toBe('x');
    expect(open({ config: { chat_template: named('rag', 'default') } }).chatTemplate).toBe(
      '{# default #}',
    );
    expect(open({ config: { chat_template: named('rag', 'tool') } }).chatTemplate).toBe(
      '{# rag #}',
    );
    expect(open({ config: {} }).chatTemplate).toBeNull();
    expect(open({}).chatTemplate).toBeNull();
  });

  test('in a file of its own goes first', () => {
    expect(templateBeside('chat_template.jinja', '{{ 1 }}')).toBe('{{ 1 }}');
    expect(templateBeside('chat_template.json', '{"chat_template": "{{ 2 }}"}')).toBe('{{ 2 }}');
    expect(templateBeside('chat_template.json', '{}')).toBe('from the configuration');
  });

  test.each([5, [], {}, [{ name: 'default' }], [{ name: 'default', template: 5 }]])(
    '%j is template_invalid',
    (chat_template) => {
      expect(() => open({ config: { chat_template } })).toThrow(
        expect.objectContaining({
          code: 'template_invalid',
          data: { file: '/models/m/config.json' },
        }),
      );
    },
  );
});

test('a configuration that is no JSON object is tokenizer_invalid and named', () => {
  expect(() => open({ config: [] })).toThrow(
    expect.objectContaining({
      code: 'tokenizer_invalid',
      message: 'config.json does not hold an object: a list of 0',
    }),
  );
});
