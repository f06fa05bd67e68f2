import { expect, test } from 'vitest';
import { toHalf } from '../../../main/numeric/quantization/half.ts';
import golden from '../../golden/float16.json';

test('the golden vectors, with those that overflow and underflow counted', () => {
  const finite = golden.filter(({ x }) => typeof x === 'number');
  const { bits, overflows, underflows } = toHalf(
    Float32Array.from(finite, ({ x }) => Number(x)),
    'float16',
  );
  expect([...bits]).toEqual(finite.map((entry) => entry.bits));
  expect(overflows).toBe(finite.filter(({ x }) => Math.abs(Number(x)) >= 65520).length);
  expect(overflows).toBe(2);
  expect(underflows).toBe(
    finite.filter((entry) => entry.x !== 0 && (entry.bits & 0x7fff) === 0).length,
  );
  expect(underflows).toBeGreaterThan(0);
});

test('65,519 still fits a float16, 65,520 does not', () => {
  expect(toHalf(Float32Array.of(65_519, -65_519), 'float16').overflows).toBe(0);
  expect(toHalf(Float32Array.of(65_520, -65_520), 'float16').overflows).toBe(2);
});

test('2^-25 becomes 0, anything above it does not; zeros are no underflow', () => {
  const values = Float32Array.of(2 ** -25, 2 ** -25 * (1 + 2 ** -20), 0, -0);
  expect(toHalf(values, 'float16').underflows).toBe(1);
});

test('bfloat16 has the range of float32', () => {
  expect(toHalf(Float32Array.of(1e38, 1e-38, 65_520), 'bfloat16')).toMatchObject({
    overflows: 0,
    underflows: 0,
  });
  expect(toHalf(Float32Array.of(3.4e38), 'bfloat16').overflows).toBe(1);
});

test.each([NaN, Infinity])('%d is refused', (value) => {
  expect(() => toHalf(Float32Array.of(value), 'float16')).toThrow(
    expect.objectContaining({ code: 'values_not_finite' }),
  );
});
