import { expect, test } from 'vitest';
import { cloneTypedArrays } from '../../preload/contract/transfer.ts';

async function* stream(): AsyncGenerator<number> {
  yield 1;
}

test('messages with a typed array anywhere inside travel by structured clone', () => {
  expect(cloneTypedArrays(['id', 2, { body: { json: [{ data: new Float32Array(1) }] } }])).toEqual(
    [],
  );
});

test('other messages travel as text, streams among them', () => {
  const bodies = [null, 'text', { json: [1, 'a', null] }, stream(), new URL('http://orpc/')];
  expect(bodies.map((body) => cloneTypedArrays(['id', 2, { body }]))).toEqual(
    bodies.map(() => null),
  );
});
