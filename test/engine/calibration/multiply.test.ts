import { expect, test } from 'vitest';
import { openMultiply } from '../../../main/engine/calibration/multiply.ts';
import { addProductNow } from '../../../main/numeric/linearAlgebra/multiply.ts';
import { createRandom } from '../../../main/numeric/random.ts';

test('products by the runtime equal those of plain loops, also of rectangles within one array', async () => {
  const multiply = await openMultiply({ threads: 1, device: 'cpu' });
  const random = createRandom(4);
  const size = 140;
  const data = Float64Array.from({ length: size * size }, () => random.next() - 0.5);
  const view = (of: Float64Array, row: number, column: number, rows: number, columns: number) => ({
    data: of,
    offset: row * size + column,
    stride: size,
    rows,
    columns,
  });
  for (const [rows, columns, inner] of [
    [3, 5, 7],
    [100, 90, 80],
  ]) {
    const [expected, found] = [data.slice(), data.slice()];
    for (const target of [expected, found]) {
      const operands = [
        view(target, 0, 0, rows, columns),
        -1,
        view(data, 1, 2, rows, inner),
        view(data, 9, 11, columns, inner),
      ] as const;
      if (target === expected) addProductNow(...operands);
      else await multiply.addProduct(...operands);
    }
    expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(1e-12);
    expect(found).not.toEqual(data);
  }
  await multiply.close();
});
