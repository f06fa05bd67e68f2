import { describe, expect, test } from 'vitest';
import {
  isFile,
  newPath,
  parseArguments,
  typedPath,
  UsageError,
} from '../../main/commands/arguments.ts';
import { bytes, count, table } from '../../main/commands/output.ts';

const options = {
  prompt: { placeholder: 'T', help: '' },
  bias: { placeholder: 'X', help: '' },
  stop: { placeholder: 'T', multiple: true, help: '' },
  json: { help: '' },
};
const parse = (...args: string[]) => parseArguments(args, options);

describe('arguments', () => {
  test('may be empty texts, negative numbers and given again', () => {
    const args = parse('model', '--prompt', '', '--bias', '-0.5', '--stop', 'a', '--stop', 'b');
    expect([
      args.positionals,
      args.text('prompt'),
      args.number('bias'),
      args.texts('stop'),
    ]).toEqual([['model'], '', -0.5, ['a', 'b']]);
    expect(parse('--bias=-3').number('bias')).toBe(-3);
  });

  test('that are not there are absent, not empty', () => {
    const args = parse();
    expect([
      args.text('prompt'),
      args.number('bias'),
      args.texts('stop'),
      args.has('json'),
    ]).toEqual([undefined, undefined, [], false]);
  });

  test.each([
    [['--nonsense'], 'unknown option: --nonsense'],
    [['--promt', 'x'], 'unknown option: --promt; did you mean --prompt?'],
    [['-x'], 'unknown option: -x'],
    [['--prompt'], '--prompt needs a value: --prompt T'],
    [['--json=yes'], '--json takes no value: yes'],
    [['--prompt', '--json'], 'one that begins with a dash is written --prompt=--json'],
  ])('are refused: %j', (args, message) => {
    const refused = (): unknown => parse(...args);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(message);
  });

  test('that begin with a dash are taken behind an equals sign', () => {
    expect(parse('--prompt=--json', '--stop=-').text('prompt')).toBe('--json');
  });

  test.each(['', ' ', 'x', '1e', 'NaN', 'Infinity', '0x', '1,5'])('no number: %j', (text) => {
    expect(() => parse('--bias', text).number('bias')).toThrow(UsageError);
  });
});

test('a path is found where the user stands when npm has moved elsewhere', () => {
  const before = process.env['INIT_CWD'];
  process.env['INIT_CWD'] = import.meta.dirname;
  try {
    expect(typedPath('arguments.test.ts')).toBe(import.meta.filename);
    expect(typedPath('package.json')).toBe(`${process.cwd()}/package.json`);
    expect(typedPath('nowhere')).toBe(`${process.cwd()}/nowhere`);
    expect(newPath('nowhere')).toBe(`${import.meta.dirname}/nowhere`);
  } finally {
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  }
});

test('a path that no file can have is no file', () => {
  expect(isFile(import.meta.filename)).toBe(true);
  expect([import.meta.dirname, 'nowhere', 'x'.repeat(5000)].map(isFile)).toEqual([
    false,
    false,
    false,
  ]);
});

test('tables align numbers to the right and text to the left', () => {
  const rows = [
    ['a', '1.5 MB'],
    ['long', '12 B'],
  ];
  expect(table(['name', 'size'], rows)).toBe('name    size\na     1.5 MB\nlong    12 B');
});

test('sizes and counts carry their unit', () => {
  expect([bytes(12), bytes(4_499_856), bytes(2e9)]).toEqual(['12 B', '4.50 MB', '2.00 GB']);
  expect([count(7), count(1_123_712), count(494e6), count(7.24e9)]).toEqual([
    '7',
    '1.12 M',
    '494 M',
    '7.24 B',
  ]);
});
