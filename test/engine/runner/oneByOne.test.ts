import { expect, test } from 'vitest';
import { oneByOne } from '../../../main/engine/runner/oneByOne.ts';

/** Says when it began and when all that it set off was done. */
async function slow(heard: string[], message: string, steps: number): Promise<void> {
  heard.push(`${message} begins`);
  for (let step = 0; step < steps; step++) await Promise.resolve();
  heard.push(`${message} ends`);
}

test('messages of one moment are heard in order, each to its end', async () => {
  const heard: string[] = [];
  const listener = oneByOne((message: string) => {
    void slow(heard, message, message === 'text' ? 20 : 0);
  });
  // As a channel does that has read several messages at once.
  for (const message of ['text', 'clone', 'text']) process.nextTick(() => listener(message));
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([
    'text begins',
    'text ends',
    'clone begins',
    'clone ends',
    'text begins',
    'text ends',
  ]);
});

test('a message by itself is heard at once', () => {
  const heard: number[] = [];
  oneByOne((message: number) => heard.push(message))(1);
  expect(heard).toEqual([1]);
});
