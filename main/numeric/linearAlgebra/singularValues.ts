import { symmetricEigen } from './eigen.ts';
import { type Matrix, transpose } from './matrix.ts';
import { nextTurn, plainMultiply, type Run, wholeView } from './multiply.ts';

/** a = left · diag(values) · right, values falling; left [m, r], right [r, n], r = min(m, n). */
export interface SingularValues {
  readonly left: Matrix<Float64Array>;
  readonly values: Float64Array;
  readonly right: Matrix<Float64Array>;
}

const maxSweeps = 30;

/**
 * Singular value decomposition by one-sided Jacobi rotations (Hestenes 1958) in float64, with high
 * relative accuracy for small values too. It starts from the eigenvectors of a·aᵀ, which are the
 * answer but for rounding, so that two or three sweeps do: for 768 × 2,048 seconds, not a minute.
 * A value below m·ε of the largest is rounding, and its row in `right` need not be orthogonal.
 */
export async function singularValues(a: Matrix, run: Run = {}): Promise<SingularValues> {
  if (a.rows > a.columns) {
    const { left, values, right } = await singularValues(transpose(a), run);
    return { left: transpose(right), values, right: transpose(left) };
  }
  const { rows: m, columns: n } = a;
  const { multiply = plainMultiply, signal } = run;
  const source = wholeView(Float64Array.from(a.data), m, n);
  const gram = wholeView(new Float64Array(m * m), m, m);
  await multiply.addProduct(gram, 1, source, source);
  const basis = (await symmetricEigen(gram.data, m, signal)).vectors.data;
  const turned = wholeView(new Float64Array(m * n), m, n);
  const columns = transpose({ rows: m, columns: n, data: source.data }).data;
  await multiply.addProduct(turned, 1, wholeView(basis, m, m), wholeView(columns, n, m));

  await orthogonalizeRows(turned.data, m, n, basis, signal);

  const norms = Float64Array.from({ length: m }, (_, i) =>
    Math.sqrt(dot(turned.data, i * n, i * n, n)),
  );
  const order = Array.from({ length: m }, (_, i) => i);
  order.sort((i, j) => norms[j] - norms[i] || i - j);
  const left = new Float64Array(m * m);
  const right = new Float64Array(m * n);
  order.forEach((from, to) => {
    for (let i = 0; i < m; i++) left[i * m + to] = basis[from * m + i];
    const scale = norms[from] > 0 ? 1 / norms[from] : 0;
    for (let j = 0; j < n; j++) right[to * n + j] = turned.data[from * n + j] * scale;
  });
  return {
    left: { rows: m, columns: m, data: left },
    values: Float64Array.from(order, (i) => norms[i]),
    right: { rows: m, columns: n, data: right },
  };
}

/** Rotates the rows of `x` [m, n], and those of `basis` [m, m] alike, until all are orthogonal. */
async function orthogonalizeRows(
  x: Float64Array,
  m: number,
  n: number,
  basis: Float64Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const squares = new Float64Array(m);
  // Cosines below the rounding of a sum of n products cannot be told from 0.
  const tolerance = 4 * Number.EPSILON * Math.sqrt(n);
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    // Kept up to date by the rotations below; summed afresh so that rounding does not gather.
    for (let i = 0; i < m; i++) squares[i] = dot(x, i * n, i * n, n);
    // Rows this short are rounding: turning them against each other would never end.
    const negligible = (Number.EPSILON * Math.sqrt(Math.max(...squares)) * m) ** 2;
    let rotated = false;
    for (let i = 0; i < m - 1; i++) {
      if (i % 16 === 0) await nextTurn(signal);
      for (let j = i + 1; j < m; j++) {
        if (squares[i] <= negligible || squares[j] <= negligible) continue;
        const cross = dot(x, i * n, j * n, n);
        if (Math.abs(cross) <= tolerance * Math.sqrt(squares[i] * squares[j])) continue;
        rotated = true;
        const zeta = (squares[j] - squares[i]) / (2 * cross);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        rotate(x, i * n, j * n, n, cosine, cosine * tangent);
        rotate(basis, i * m, j * m, m, cosine, cosine * tangent);
        squares[i] -= tangent * cross;
        squares[j] += tangent * cross;
      }
    }
    if (!rotated) return;
  }
}

function rotate(
  x: Float64Array,
  first: number,
  second: number,
  length: number,
  cosine: number,
  sine: number,
): void {
  for (let k = 0; k < length; k++) {
    const a = x[first + k];
    const b = x[second + k];
    x[first + k] = cosine * a - sine * b;
    x[second + k] = sine * a + cosine * b;
  }
}

/** Four sums at a time: a single one waits for each addition. */
function dot(x: Float64Array, first: number, second: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    s0 += x[first + k] * x[second + k];
    s1 += x[first + k + 1] * x[second + k + 1];
    s2 += x[first + k + 2] * x[second + k + 2];
    s3 += x[first + k + 3] * x[second + k + 3];
  }
  for (; k < length; k++) s0 += x[first + k] * x[second + k];
  return s0 + s1 + (s2 + s3);
}
