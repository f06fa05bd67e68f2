import { describe, expect, test } from 'vitest';
import { renderChat, type ChatVariables } from '../../main/tokenizer/chatTemplate.ts';
import type { ChatMessage } from '../../preload/contract/generation.ts';

const SYSTEM: ChatMessage = { role: 'system', content: 'Be brief.' };
const HELLO: ChatMessage = { role: 'user', content: 'Hello' };
const HI: ChatMessage = { role: 'assistant', content: 'Hi!' };
const BYE: ChatMessage = { role: 'user', content: '  Bye\n' };

function render(template: string, given: Partial<ChatVariables> = {}): Promise<string> {
  return renderChat(template, {
    messages: [SYSTEM, HELLO, HI, BYE],
    tokens: { bos_token: '<s>', eos_token: '</s>' },
    addGenerationPrompt: true,
    ...given,
  });
}

describe('templates as models carry them', () => {
  test('ChatML', async () => {
    const template = `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
    expect(await render(template)).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\n  Bye\n<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(await render(template, { messages: [HELLO], addGenerationPrompt: false })).toBe(
      '<|im_start|>system\nYou are helpful.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n',
    );
  });

  const llama2 = `{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}`;

  test('Llama 2', async () => {
    expect(await render(llama2)).toBe(
      '<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi! </s><s>[INST] Bye [/INST]',
    );
  });

  test('a template that refuses the messages is a typed error with its text', async () => {
    await expect(render(llama2, { messages: [HELLO, BYE] })).rejects.toMatchObject({
      name: 'LatheError',
      code: 'template_invalid',
      message:
        'the chat template refuses these messages: Conversation roles must alternate user/assistant/user/assistant/...',
    });
  });

  test('Llama 3', async () => {
    const template = `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}`;
    expect(await render(template, { tokens: { bos_token: '<|begin_of_text|>' } })).toBe(
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi!<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    );
  });

  test('Llama 3.1: date, tools that are none, whitespace control', async () => {
    const template = `{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
`;
    const now = new Date(2025, 1, 3);
    expect(await render(template, { messages: [SYSTEM, HELLO], now })).toBe(
      '<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 03 Feb 2025\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    );
  });

  test('Zephyr: a template over several lines, blocks trimmed', async () => {
    const template = `{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}`;
    expect(await render(template, { messages: [SYSTEM, HELLO] })).toBe(
      '<|system|>\nBe brief.</s>\n<|user|>\nHello</s>\n<|assistant|>\n',
    );
  });

  test('Gemma: other role names, system refused', async () => {
    const template = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}`;
    expect(await render(template, { messages: [HELLO, HI, BYE] })).toBe(
      '<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\nHi!<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n',
    );
    await expect(render(template)).rejects.toThrow('refuses these messages: System role not');
  });

  test('Mistral: a namespace and a filter with arguments', async () => {
    const template = `{%- set ns = namespace(turns=0) -%}
{{- bos_token -}}
{%- for message in messages | rejectattr("role", "equalto", "system") -%}
  {%- if message.role == "user" -%}
    {%- set ns.turns = ns.turns + 1 -%}
    [INST] {{ message.content | trim }} [/INST]
  {%- else -%}
    {{- " " ~ message.content ~ eos_token -}}
  {%- endif -%}
{%- endfor -%}
{{- "#" ~ ns.turns -}}`;
    expect(await render(template)).toBe('<s>[INST] Hello [/INST] Hi!</s>[INST] Bye [/INST]#2');
  });

  test('Qwen: macro, tojson, slices, string methods', async () => {
    const template = `{%- macro turn(role, text='-') -%}
<{{ role }}>{{ text.split('\\n')[0].lstrip() }}
{%- endmacro -%}
{%- for m in messages[::-1] -%}{{ turn(m.role, m.content) }}{%- endfor -%}
{{- turn('end') }}{{ {'a': [1, 2.5, none, "é\\""]} | tojson }}`;
    expect(await render(template)).toBe(
      '<user>Bye<assistant>Hi!<user>Hello<system>Be brief.<end>-{"a": [1, 2.5, null, "é\\""]}',
    );
  });

  test('generation markers of training templates are passed over', async () => {
    expect(await render('{% generation %}x{% endgeneration %}')).toBe('x');
  });

  test('strftime_now writes English names, whatever the machine speaks', async () => {
    const now = new Date(2024, 11, 1, 15, 4, 9);
    const codes = '%A %a %B %b %d %m %Y %y %H %I %M %S %p %j %% %Q';
    expect(await render(`{{ strftime_now('${codes}') }}`, { now })).toBe(
      'Sunday Sun December Dec 01 12 2024 24 15 03 04 09 PM 336 % %Q',
    );
  });
});

describe('special tokens', () => {
  test('that the model does not have are undefined, as in transformers', async () => {
    const template =
      "{{ bos_token is defined }}{{ pad_token is defined }}{{ pad_token ~ '' if pad_token else '-' }}";
    expect(await render(template)).toBe('truefalse-');
  });

  test('written by a user are passed on as written', async () => {
    const content = '{{ bos_token }}</s>{% raw %}';
    expect(
      await render('{{ messages[0].content }}', { messages: [{ role: 'user', content }] }),
    ).toBe(content);
  });
});

test('a render can be cancelled', async () => {
  const stop = new AbortController();
  const endless = '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}';
  const rendering = renderChat(
    endless,
    { messages: [HELLO], tokens: {}, addGenerationPrompt: true },
    stop.signal,
  );
  stop.abort(new Error('no longer wanted'));
  await expect(rendering).rejects.toThrow('no longer wanted');
});
