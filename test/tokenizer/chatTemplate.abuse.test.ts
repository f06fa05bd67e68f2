import { describe, expect, test } from 'vitest';
import { renderChat } from '../../main/tokenizer/chatTemplate.ts';
import type { ChatMessage } from '../../preload/contract/generation.ts';

function render(template: string, messages: ChatMessage[] = []): Promise<string> {
  return renderChat(template, {
    messages,
    tokens: { bos_token: '<s>' },
    addGenerationPrompt: true,
  });
}

/** Doubles `value` `times` times into `ns.v`. */
function doubled(value: string, times: number): string {
  return `{% set ns = namespace(v=${value}) %}{% for i in range(${times}) %}{% set ns.v = ns.v + ns.v %}{% endfor %}`;
}

/** Nests a list or mapping that holds itself twice, `times` deep: 2 ** times when written out. */
function shared(literal: string, times: number): string {
  return `{% set ns = namespace(v='x') %}{% for i in range(${times}) %}{% set ns.v = ${literal} %}{% endfor %}`;
}

const LONG = doubled("'ab '", 20);

describe('a template that would stall or exhaust the process is template_invalid', () => {
  test.each([
    ['a range of 10^9', '{% for i in range(10**9) %}{% endfor %}'],
    ['a range that never ends', '{{ range(0, 5, 0) }}'],
    ['a range down to -10^9', '{{ range(0, -10**9, -1) | length }}'],
    ['two nested loops of 10^4', loops(2, 10_000)],
    ['six nested loops of 100', loops(6, 100)],
    ['10^6 rounds that each write', '{% for i in range(10**6) %}{{ i }}-{{ i }}{% endfor %}'],
    ['a text doubled 30 times', `${doubled("'x'", 30)}{{ ns.v | upper | length }}`],
    ['a text doubled 100 times', `${doubled("'x'", 100)}{{ ns.v }}`],
    ['a text joined to itself with ~', shared('ns.v ~ ns.v', 40) + '{{ ns.v }}'],
    ['a list doubled 30 times', `${doubled('[1]', 30)}{{ ns.v | length }}`],
    ['a list written out 2^40 long', `${shared('[ns.v, ns.v]', 40)}{{ ns.v }}`],
    ['the same by tojson', `${shared('[ns.v, ns.v]', 40)}{{ ns.v | tojson }}`],
    ['the same by join', `${shared('[ns.v, ns.v]', 40)}{{ ns.v | join(',') }}`],
    ['the same by a comparison', `${shared('[ns.v, ns.v]', 40)}{{ ns.v == 'x' }}`],
    ['a mapping written out 2^40 long', `${shared("{'a': ns.v, 'b': ns.v}", 40)}{{ ns.v }}`],
    ['replacing every letter by a long text', `${LONG}{{ ns.v.replace('a', ns.v) | length }}`],
    ['replacing nothing by something', `${LONG}{{ ns.v.replace('', 'abcdefgh') | length }}`],
    ['an indent of 5 · 10^8', "{{ 'a\nb' | indent(500000000) }}"],
    ['tojson with an indent of 5 · 10^8', '{{ [1, 2] | tojson(indent=500000000) | length }}'],
    ['join by a long text', `${LONG}{{ range(10000) | join(ns.v) }}`],
    [
      'many long texts',
      `${LONG}{% set a = namespace(l=[]) %}{% for i in range(9999) %}{% set a.l = a.l + [(ns.v ~ i) | upper] %}{% endfor %}`,
    ],
    [
      'many long lists',
      `${LONG}{% set a = namespace(l=[]) %}{% for i in range(999) %}{% set a.l = a.l + [ns.v.split(' ')] %}{% endfor %}`,
    ],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    [
      'a macro that calls itself twice',
      '{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}',
    ],
    ['a namespace that holds itself', '{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}'],
    ['100,000 nested lists', `{{ ${'['.repeat(100_000)}${']'.repeat(100_000)} }}`],
    ['100,000 nested parentheses', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`],
    ['100,000 additions', `{{ 1${'+1'.repeat(100_000)} }}`],
    ['100,000 filters', `{{ 'x'${'|upper'.repeat(100_000)} }}`],
    ['10,000 nested conditions never closed', '{% if true %}'.repeat(10_000)],
    ['half a million open comments', '{#'.repeat(500_000)],
    ['a template of 2 MB', 'x'.repeat(2 * 1024 * 1024)],
    ['output over 4 MB', `{% for i in range(300) %}${'x'.repeat(20_000)}{% endfor %}`],
    ['a number too large', '{{ 10 ** 999 }}'],
  ])('%s', async (_name, template) => {
    await expect(render(template)).rejects.toMatchObject({ code: 'template_invalid' });
  });

  test('a user message of any length cannot be made to do the same', async () => {
    const messages: ChatMessage[] = [{ role: 'user', content: 'ab '.repeat(300_000) }];
    expect(await render('{{ messages[0].content | trim | length }}', messages)).toBe('899999');
    await expect(
      render("{{ messages[0].content.replace(' ', messages[0].content) }}", messages),
    ).rejects.toMatchObject({ code: 'template_invalid' });
  });
});

function loops(depth: number, count: number): string {
  return `{% for i in range(${count}) %}`.repeat(depth) + '{% endfor %}'.repeat(depth);
}

describe('a template that is wrong is template_invalid and says why', () => {
  test.each([
    ['{% for %}', 'the chat template failed: '],
    ['{{ 1 +', 'the chat template failed: '],
    ['{% include "secret.txt" %}', 'the chat template failed: '],
    ['{% import os %}', 'the chat template failed: '],
    ["{{ 'a' | no_such_filter }}", 'Unknown StringValue filter: no_such_filter'],
    ['{{ no_such_function() }}', 'Cannot call something that is not a function'],
    ['{{ raise_exception("x" * 3) }}', 'the chat template failed: '],
    ['{% break %}', 'the chat template failed: '],
  ])('%s', async (template, message) => {
    await expect(render(template)).rejects.toMatchObject({
      code: 'template_invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('nothing of the host is reached', () => {
  const messages: ChatMessage[] = [{ role: 'user', content: 'hi' }];

  test.each([
    '{{ messages.__proto__ }}',
    "{{ messages['__proto__'] }}",
    '{{ messages.constructor }}',
    "{{ messages['constructor'] }}",
    '{{ messages[0].constructor }}',
    "{{ messages[0]['__proto__'] }}",
    "{{ messages[0]['prototype'] }}",
    "{{ ''.__class__ }}",
    "{{ ''.constructor }}",
    '{{ {}.constructor }}',
    '{{ [].constructor }}',
    "{{ ''.__proto__ }}",
    '{{ range.constructor }}',
    "{{ range['constructor'] }}",
    '{{ range.__globals__ }}',
    '{{ raise_exception.prototype }}',
    '{{ namespace.__init__ }}',
    '{{ loop }}{{ self }}{{ cycler }}{{ lipsum }}',
    '{{ process }}{{ require }}{{ globalThis }}{{ global }}{{ import }}',
    '{{ hasOwnProperty }}{{ toString }}{{ valueOf }}',
    '{{ messages[0].toString }}',
    '{{ messages.length.constructor }}',
    '{{ true.constructor }}',
  ])('%s writes nothing', async (template) => {
    expect(await render(template, messages)).toBe('');
  });

  test.each([
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ range.constructor('return process')() }}",
    "{{ messages.__proto__.constructor.constructor('return this')() }}",
    "{{ ''['constructor']['constructor']('return process')() }}",
    "{{ require('node:fs').readFileSync('/etc/hostname') }}",
    "{{ namespace.__init__.__globals__.os.popen('id').read() }}",
    '{{ messages.concat([1]) }}',
    '{% set messages.__proto__.polluted = 1 %}',
    "{% set ''.__proto__.polluted = 1 %}",
  ])('%s is an error', async (template) => {
    await expect(render(template, messages)).rejects.toMatchObject({ code: 'template_invalid' });
  });

  test.each([
    "{% set ns = namespace() %}{% set ns.__proto__ = {'polluted': 1} %}",
    "{% set ns = namespace(__proto__={'polluted': 1}) %}{{ ns.polluted }}",
    "{% set x = {'__proto__': {'polluted': 1}} %}{{ x.polluted }}",
    "{% set x = {'constructor': {'prototype': {'polluted': 1}}} %}{{ x | tojson | length > 0 }}",
    "{% set __proto__ = {'polluted': 1} %}{{ polluted }}",
  ])('%s pollutes no prototype', async (template) => {
    await render(template, messages);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('keys of a message that name prototypes are plain data', async () => {
    const message: unknown = JSON.parse(
      '{"role":"user","content":"hi","__proto__":{"polluted":"yes"},"constructor":"c"}',
    );
    const template = '{{ messages[0].polluted }}|{{ messages[0].constructor }}';
    expect(await render(template, [message as ChatMessage])).toBe('|c');
  });
});
