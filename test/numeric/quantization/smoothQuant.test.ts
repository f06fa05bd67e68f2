import { expect, test } from 'vitest';
import {
  columnMaxima,
  scaleColumns,
  smoothingScales,
} from '../../../main/numeric/quantization/smoothQuant.ts';
import golden from '../../golden/smoothQuant.json';
import gptq from '../../golden/gptq.json';
import { distance, fromRows, randomMatrix } from '../samples.ts';

const weight = fromRows(gptq.W);

test('the golden vectors', () => {
  const maxima = columnMaxima(fromRows(gptq.X));
  expect(distance(maxima, golden.amax)).toBeLessThanOrEqual(1e-10);
  expect(distance(smoothingScales(maxima, [weight], golden.alpha), golden.s)).toBeLessThanOrEqual(
    1e-10,
  );
});

test('alpha 0.5 makes both ranges equal', () => {
  const maxima = columnMaxima(fromRows(gptq.X));
  const scales = smoothingScales(maxima, [weight], 0.5);
  expect(
    distance(
      columnMaxima(scaleColumns(weight, scales)),
      maxima.map((value, i) => value / scales[i]),
    ),
  ).toBeLessThanOrEqual(1e-6);
});

test('all consumers of an input count, and the loudest decides', () => {
  const both = smoothingScales(
    Float32Array.of(4, 4),
    [fromRows([[1, -9]]), fromRows([[-4, 2]])],
    0.5,
  );
  expect(distance(both, [1, 2 / 3])).toBeLessThanOrEqual(1e-12);
});

test('silent channels, in inputs or weights, give finite scales above zero', () => {
  const scales = smoothingScales(Float32Array.of(0, 5), [fromRows([[3, 0]])], 0.85);
  expect([...scales].every((scale) => scale >= 1e-5 && Number.isFinite(scale))).toBe(true);
});

test('an alpha outside 0 … 1, or a consumer of another width, is refused', () => {
  const maxima = new Float32Array(4).fill(1);
  expect(() => smoothingScales(maxima, [], 1.1)).toThrow('alpha must be from 0 to 1: 1.1');
  expect(() => smoothingScales(maxima, [randomMatrix(1, 2, 3)], 0.5)).toThrow(
    expect.objectContaining({ code: 'tensor_mismatch' }),
  );
});
