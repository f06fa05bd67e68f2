/**
 * Jensen-Shannon divergence of two distributions in bits: the mean of the Kullback-Leibler divergences
 * of both from their mean (Lin 1991); 0 for equal ones, 1 for ones without a common place. What one
 * lacks of 1, as attention with a sink does, counts as one more place. float64.
 */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  let [restP, restQ] = [1, 1];
  for (let i = 0; i < p.length; i++) {
    sum += divergenceAt(p[i], q[i]);
    restP -= p[i];
    restQ -= q[i];
  }
  sum += divergenceAt(Math.max(0, restP), Math.max(0, restQ));
  // Rounding may leave it a little outside.
  return Math.min(1, Math.max(0, sum / 2));
}

/** What one place adds to twice the divergence. */
function divergenceAt(p: number, q: number): number {
  const middle = (p + q) / 2;
  return (p > 0 ? p * Math.log2(p / middle) : 0) + (q > 0 ? q * Math.log2(q / middle) : 0);
}

/** Mean divergence of the rows of two [rows, columns] arrays, each row a distribution. */
export function meanJensenShannon(p: Float32Array, q: Float32Array, columns: number): number {
  const rows = p.length / columns;
  let sum = 0;
  for (let at = 0; at < p.length; at += columns) {
    sum += jensenShannon(p.subarray(at, at + columns), q.subarray(at, at + columns));
  }
  return sum / rows;
}

/** Mean cosine of the rows of two [rows, columns] arrays; rows of zeros count as equal if both are. */
export function meanCosine(a: Float32Array, b: Float32Array, columns: number): number {
  let total = 0;
  for (let row = 0; row < a.length; row += columns) {
    let product = 0;
    let squareA = 0;
    let squareB = 0;
    for (let i = row; i < row + columns; i++) {
      product += a[i] * b[i];
      squareA += a[i] * a[i];
      squareB += b[i] * b[i];
    }
    const lengths = Math.sqrt(squareA * squareB);
    if (lengths > 0) total += product / lengths;
    else if (squareA === squareB) total += 1;
  }
  return total / (a.length / columns);
}
