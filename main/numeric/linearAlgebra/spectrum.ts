import { symmetricEigenvalues } from './eigen.ts';
import { transpose, type Matrix } from './matrix.ts';
import { nextTurn, plainMultiply, wholeView, type Run } from './multiply.ts';

/** Elements that are in float64 at once. */
const slabElements = 2 ** 22;

/**
 * The singular values of a matrix [m, n] alone, falling: roots of the eigenvalues of its smaller
 * product with itself, so that those below 1e-8 of the largest are rounding (they come as 0 or
 * thereabouts). m·n·min(m, n) and 4/3·min(m, n)³ multiply-adds in float64; besides the matrix, memory
 * for that product alone.
 */
export async function spectrum(
  a: Matrix,
  { multiply = plainMultiply, signal }: Run = {},
): Promise<Float64Array> {
  const small = Math.min(a.rows, a.columns);
  const large = Math.max(a.rows, a.columns);
  const gram = wholeView(new Float64Array(small * small), small, small);
  const atOnce = Math.max(1, Math.floor(slabElements / small));
  for (let first = 0; first < large; first += atOnce) {
    await nextTurn(signal);
    const slab = slabOf(a, first, Math.min(large, first + atOnce));
    const view = wholeView(slab.data, slab.rows, slab.columns);
    await multiply.addProduct(gram, 1, view, view);
  }
  const values = await symmetricEigenvalues(gram.data, small, signal);
  return values.map((value) => Math.sqrt(Math.max(0, value)));
}

/** Lines `from` … `to` - 1 along the longer side, [shorter side, lines]. */
function slabOf({ rows, columns, data }: Matrix, from: number, to: number): Matrix<Float64Array> {
  if (rows > columns) {
    const lines = data.subarray(from * columns, to * columns);
    return transpose({ rows: to - from, columns, data: lines });
  }
  const slab = new Float64Array(rows * (to - from));
  for (let row = 0; row < rows; row++) {
    slab.set(data.subarray(row * columns + from, row * columns + to), row * (to - from));
  }
  return { rows, columns: to - from, data: slab };
}
