import { expect, test } from 'vitest';
import { MessageChannelMain } from './ports.ts';

test('what a message sets off is done before the next is heard', async () => {
  const { port1, port2 } = new MessageChannelMain();
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  port2.on('message', ({ data }: { data: string }) => {
    seen.push(`heard ${data}`);
    void (async () => {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      seen.push(`done with ${data}`);
      if (data === 'c') resolve();
    })();
  });
  for (const data of ['a', 'b', 'c']) port1.postMessage(data);
  port2.start();
  await promise;
  expect(seen).toEqual(['a', 'b', 'c'].flatMap((data) => [`heard ${data}`, `done with ${data}`]));
});
