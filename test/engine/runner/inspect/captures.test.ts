import { expect, test } from 'vitest';
import { Captures, type KeptCapture } from '../../../../main/engine/runner/inspect/captures.ts';
import type { Captured } from '../../../../main/capture/captured.ts';

/** A capture that says to hold so many bytes; its model does not matter. */
function capture(bytes: number): KeptCapture & { readonly stream: Float32Array } {
  const stream = new Float32Array(4);
  const captured: Captured = {
    ids: [1],
    ablated: [],
    layers: [],
    streams: [stream],
    mlp: [],
    bytes,
    ms: { captured: 1, plain: 1 },
  };
  return { captured, subject: {} as KeptCapture['subject'], stream };
}

/** Which of these ids are still kept. */
const kept = (captures: Captures, ids: readonly string[]): string[] =>
  ids.filter((id) => {
    try {
      return captures.get(id) !== undefined;
    } catch {
      return false;
    }
  });

const ids = ['a', 'b', 'c', 'd'];
const gigabyte = 2 ** 30;

test('the newest captures stay, together two gigabytes at most', () => {
  const captures = new Captures();
  for (const id of ids) captures.keep(id, capture(0.8 * gigabyte));
  expect(kept(captures, ids)).toEqual(['c', 'd']);
  captures.keep('whole', capture(3 * gigabyte));
  expect(kept(captures, [...ids, 'whole'])).toEqual(['whole']);
});

test('the oldest go where another would have no room, and give their memory back at once', () => {
  const captures = new Captures();
  const made = ids.map(() => capture(100));
  ids.forEach((id, at) => captures.keep(id, made[at]));
  // As much room as nobody holds, of 450 bytes.
  const room = (): number => 450 - 100 * kept(captures, ids).length;
  captures.makeRoom(240, room);
  expect(kept(captures, ids)).toEqual(['c', 'd']);
  expect(made.map(({ stream }) => stream.length)).toEqual([0, 0, 4, 4]);
});

test('as many of the oldest go as a model to be loaded needs, or all', async () => {
  const captures = new Captures();
  const made = ids.map(() => capture(100));
  ids.forEach((id, at) => captures.keep(id, made[at]));
  const room = (): number => 450 - 100 * kept(captures, ids).length;
  await captures.letGo(50, room);
  expect(kept(captures, ids)).toEqual(ids);
  await captures.letGo(150, room);
  expect(kept(captures, ids)).toEqual(['b', 'c', 'd']);
  await captures.letGo(1000, room);
  expect(kept(captures, ids)).toEqual([]);
  expect(made.map(({ stream }) => stream.length)).toEqual([0, 0, 0, 0]);
});

test('none go where that would not be enough, or is not needed', () => {
  const captures = new Captures();
  for (const id of ids) captures.keep(id, capture(100));
  captures.makeRoom(1000, () => 50);
  captures.makeRoom(50, () => 50);
  expect(kept(captures, ids)).toEqual(ids);
});

test('a capture that has gone is not found, and can be run again', () => {
  expect(() => new Captures().get('x')).toThrow(
    expect.objectContaining({ code: 'not_found', data: { value: 'x', next: ['retry'] } }),
  );
});
