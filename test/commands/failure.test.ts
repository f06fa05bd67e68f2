import { expect, test } from 'vitest';
import { UsageError } from '../../main/commands/arguments.ts';
import { failureOf } from '../../main/commands/failure.ts';
import { LatheError } from '../../preload/contract/errors.ts';

const lost = new LatheError('runner_crashed', 'the process that ran m ended: SIGINT');

test('a runner that Ctrl-C ended was cancelled; one that ended by itself was not', () => {
  expect(failureOf(lost, true)).toMatchObject({
    code: 130,
    document: { error: { code: 'cancelled' } },
  });
  expect(failureOf(lost, false)).toMatchObject({
    code: 1,
    text: lost.message,
    document: { error: { code: 'runner_crashed' } },
  });
});

test('the place is told once, whether the message says it or the data', () => {
  const place = { file: '/m/x', offset: 8 };
  const texts = ['bad: /m/x at byte 8', 'bad: /m/x', 'bad'].map(
    (message) => failureOf(new LatheError('file_malformed', message, place), false).text,
  );
  expect(texts).toEqual([
    'bad: /m/x at byte 8',
    'bad: /m/x (at byte 8)',
    'bad (file /m/x, at byte 8)',
  ]);
});

test('what else fails behind Ctrl-C is told as it is', () => {
  const full = new LatheError('disk_full', 'no space left');
  expect(failureOf(full, true)).toMatchObject({ code: 1, text: 'no space left' });
  expect(failureOf(new UsageError('odd'), false)).toMatchObject({ code: 2, text: 'odd' });
});
