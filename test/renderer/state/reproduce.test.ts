import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { generateRequestSchema, type GenerateInput } from '../../../preload/contract/index.ts';
import { commandLine, quote } from '../../../renderer/state/reproduce.ts';

const lineOf = (input: Partial<GenerateInput>, seed: number | null = 42): string =>
  commandLine(
    generateRequestSchema.parse({
      model: 'tiny-stories',
      prompt: { kind: 'completion', text: 'Once' },
      ...input,
    }),
    seed,
  );

describe('quoting for a shell', () => {
  it.each([
    '',
    'plain',
    'two words',
    "it's",
    'a "quote" and a \\ backslash',
    '$HOME `id` $(id) !x',
    'line\nbreak\ttab',
    '* ? [a] {b,c} ~ #',
    "''''",
    '-dash',
    'naïve “quotes” 日本語 🙂',
  ])('gives the shell back exactly what was put in: %j', (word) => {
    const printed = execFileSync('/bin/sh', ['-c', `printf '%s' ${quote(word)}`]);
    expect(printed.toString('utf8')).toBe(word);
  });

  it('leaves plain words readable', () => {
    expect(quote('org/model-1.5')).toBe('org/model-1.5');
  });
});

describe('the command line of a run', () => {
  it('names what differs from the defaults, and the seed that was used', () => {
    expect(
      lineOf({
        prompt: { kind: 'completion', text: "It's" },
        sampling: { temperature: 0.7, topK: 40, logitBias: { '13': -1.5 } },
        maxTokens: 64,
        stop: ['\n', '--'],
        overflow: 'slide',
        form: 'plain',
      }),
    ).toBe(
      "npm run --silent lathe -- generate tiny-stories --prompt 'It'\\''s' --max-tokens 64 " +
        "--temperature 0.7 --top-k 40 --logit-bias 13:-1.5 --stop '\n' --stop=-- " +
        '--overflow slide --form plain --seed 42',
    );
  });

  it('carries the tokens that a branch goes on behind', () => {
    expect(lineOf({ prefix: [5, 6, 7] })).toContain(' --prefix 5,6,7 ');
  });

  it('carries a conversation whole', () => {
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Hi' },
    ];
    expect(lineOf({ prompt: { kind: 'chat', messages } })).toContain(
      `--messages '${JSON.stringify(messages)}'`,
    );
  });

  it('sends a single message of a user as a prompt', () => {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    expect(lineOf({ prompt: { kind: 'chat', messages } })).toContain('--chat --prompt Hi');
  });

  it('names no seed where none was drawn yet', () => {
    expect(lineOf({}, null)).not.toContain('--seed');
  });
});
