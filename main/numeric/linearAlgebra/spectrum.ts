import { symmetricEigenvalues } from './eigen.ts';
import { transpose, type Matrix } from './matrix.ts';
import { plainMultiply, wholeView, type Run } from './multiply.ts';

/**
 * The singular values of a matrix [m, n] alone, falling: roots of the eigenvalues of its smaller
 * product with itself, so that those below 1e-8 of the largest are rounding (they come as 0 or
 * thereabouts). m·n·min(m, n) and 4/3·min(m, n)³ multiply-adds in float64.
 */
export async function spectrum(
  a: Matrix,
  { multiply = plainMultiply, signal }: Run = {},
): Promise<Float64Array> {
  const { rows, columns, data } = a.rows <= a.columns ? a : transpose(a);
  const view = wholeView(Float64Array.from(data), rows, columns);
  const gram = wholeView(new Float64Array(rows * rows), rows, rows);
  await multiply.addProduct(gram, 1, view, view);
  const values = await symmetricEigenvalues(gram.data, rows, signal);
  return values.map((value) => Math.sqrt(Math.max(0, value)));
}
