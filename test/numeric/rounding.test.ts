import { expect, test } from 'vitest';
import { clamp, roundHalfAway, roundHalfEven } from '../../main/numeric/rounding.ts';

const big = 2 ** 23 + 0.5;
const halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, big, -big, 2 ** 23 + 1.5, 2 ** 32 + 0.5];

test('halves go to the even neighbour', () => {
  expect(halves.map(roundHalfEven).map((value) => value + 0)).toEqual([
    0,
    2,
    2,
    0,
    -2,
    -2,
    2 ** 23,
    -(2 ** 23),
    2 ** 23 + 2,
    2 ** 32,
  ]);
});

test('halves go away from zero', () => {
  expect(halves.map(roundHalfAway)).toEqual([
    1,
    2,
    3,
    -1,
    -2,
    -3,
    2 ** 23 + 1,
    -(2 ** 23) - 1,
    2 ** 23 + 2,
    2 ** 32 + 1,
  ]);
});

test('neither rounds what is not a half, nor a number too large to have one, to a far neighbour', () => {
  const values = [0.49999999999999994, -0.49999999999999994, 2 ** 52 + 1, 0.2, -1.8, 7];
  const expected = [0, 0, 2 ** 52 + 1, 0, -2, 7];
  expect(values.map(roundHalfEven).map((value) => value + 0)).toEqual(expected);
  expect(values.map(roundHalfAway).map((value) => value + 0)).toEqual(expected);
});

test('both differ from Math.round, which rounds halves up', () => {
  expect([Math.round(-1.5), roundHalfEven(-1.5), roundHalfAway(-1.5)]).toEqual([-1, -2, -2]);
  expect([Math.round(2.5), roundHalfEven(2.5), roundHalfAway(2.5)]).toEqual([3, 2, 3]);
});

test('a value is limited to its range', () => {
  expect([-3, 0.5, 99].map((value) => clamp(value, 0, 15))).toEqual([0, 0.5, 15]);
});
