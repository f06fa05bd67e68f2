import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { nextTurn, plainMultiply, type Run } from '../numeric/linearAlgebra/multiply.ts';
import { slices } from './rowSlices.ts';

/** ‖XW - XŴ‖ / ‖XW‖ over the rows of `inputs` [T, K]; float64, T · N · K multiply-adds twice. */
export async function sampledError(
  inputs: Matrix<Float32Array> | undefined,
  weight: Matrix<Float32Array>,
  approximation: Matrix<Float32Array>,
  { multiply = plainMultiply, signal }: Run,
): Promise<number> {
  if (inputs === undefined) return 0;
  const { columns } = weight;
  const x = view(Float64Array.from(inputs.data), inputs.rows, columns);
  let power = 0;
  let noise = 0;
  const squared = async (rows: Float64Array): Promise<number> => {
    const count = rows.length / columns;
    const product = view(new Float64Array(inputs.rows * count), inputs.rows, count);
    await multiply.addProduct(product, 1, x, view(rows, count, columns));
    return product.data.reduce((sum, value) => sum + value * value, 0);
  };
  for (const [from, to] of slices(weight)) {
    await nextTurn(signal);
    const start = from * columns;
    const original = Float64Array.from(weight.data.subarray(start, to * columns));
    power += await squared(original);
    noise += await squared(original.map((value, i) => value - approximation.data[start + i]));
  }
  return noise === 0 ? 0 : Math.sqrt(noise / power);
}

const view = (data: Float64Array, rows: number, columns: number) => ({
  data,
  offset: 0,
  stride: columns,
  rows,
  columns,
});
