import { LatheError } from '../../../preload/contract/errors.ts';

/** A rectangle inside a row-major float64 array: rows are `stride` values apart. */
export interface MatrixView {
  readonly data: Float64Array;
  readonly offset: number;
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/** A dense matrix of `rows` × `columns` as a view of all of it. */
export function wholeView(data: Float64Array, rows: number, columns: number): MatrixView {
  return { data, offset: 0, stride: columns, rows, columns };
}

/**
 * The one product all heavy methods are built from. The plain implementation below needs nothing;
 * a caller that has a faster engine (the runtime's MatMul) passes its own.
 */
export interface MatrixMultiply {
  /**
   * target[m,n] += factor · a[m,k] · b[n,k]ᵀ. The views may lie in one array but do not overlap.
   * Both factors are walked along their rows, so nothing needs to be transposed.
   */
  addProduct(target: MatrixView, factor: 1 | -1, a: MatrixView, b: MatrixView): Promise<void>;
}

/** How a long computation is run: on which engine, and until when. */
export interface Run {
  readonly multiply?: MatrixMultiply | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Columns of the factors multiplied at a time, so that the tiles in use stay in the cache. */
const depth = 256;

/** Blocked multiplication in plain TypeScript; lets the event loop run about every 50 ms. */
export const plainMultiply: MatrixMultiply = {
  async addProduct(target, factor, a, b) {
    // About 2^26 multiply-adds between two turns of the event loop: a cancel is heard in time.
    const rowsAtATime = Math.max(4, 4 * Math.floor(2 ** 24 / (b.rows * a.columns + 1)));
    for (let row = 0; row < target.rows; row += rowsAtATime) {
      if (row > 0) await nextTurn();
      const rows = Math.min(rowsAtATime, target.rows - row);
      addProductNow(slice(target, row, rows), factor, slice(a, row, rows), b);
    }
  },
};

/** `rows` rows of a view from `first` on. */
function slice(view: MatrixView, first: number, rows: number): MatrixView {
  return { ...view, offset: view.offset + first * view.stride, rows };
}

/** Lets the event loop run, then refuses to go on if the caller cancelled meanwhile. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted) throw new LatheError('cancelled', 'the computation was cancelled');
}

/** `plainMultiply.addProduct` without pauses, for small matrices. */
export function addProductNow(
  target: MatrixView,
  factor: 1 | -1,
  a: MatrixView,
  b: MatrixView,
): void {
  for (let start = 0; start < a.columns; start += depth) {
    const length = Math.min(depth, a.columns - start);
    for (let i = 0; i < target.rows; i += 4) {
      for (let j = 0; j < target.columns; j += 4) {
        if (i + 4 <= target.rows && j + 4 <= target.columns) {
          addTile(target, i, j, factor, a, b, start, length);
        } else {
          addEdge(target, i, j, factor, a, b, start, length);
        }
      }
    }
  }
}

/** A tile of 4 × 4 sums held in registers: measured about six times as fast as one sum at a time. */
function addTile(
  target: MatrixView,
  i: number,
  j: number,
  factor: number,
  a: MatrixView,
  b: MatrixView,
  start: number,
  length: number,
): void {
  const x = a.data;
  const y = b.data;
  let a0 = a.offset + i * a.stride + start;
  let a1 = a0 + a.stride;
  let a2 = a1 + a.stride;
  let a3 = a2 + a.stride;
  let b0 = b.offset + j * b.stride + start;
  let b1 = b0 + b.stride;
  let b2 = b1 + b.stride;
  let b3 = b2 + b.stride;
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0;
  let s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  let s20 = 0,
    s21 = 0,
    s22 = 0,
    s23 = 0;
  let s30 = 0,
    s31 = 0,
    s32 = 0,
    s33 = 0;
  for (const end = a0 + length; a0 < end;) {
    const y0 = y[b0++];
    const y1 = y[b1++];
    const y2 = y[b2++];
    const y3 = y[b3++];
    const x0 = x[a0++];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    const x1 = x[a1++];
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    const x2 = x[a2++];
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    const x3 = x[a3++];
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  const z = target.data;
  let at = target.offset + i * target.stride + j;
  z[at] += factor * s00;
  z[at + 1] += factor * s01;
  z[at + 2] += factor * s02;
  z[at + 3] += factor * s03;
  at += target.stride;
  z[at] += factor * s10;
  z[at + 1] += factor * s11;
  z[at + 2] += factor * s12;
  z[at + 3] += factor * s13;
  at += target.stride;
  z[at] += factor * s20;
  z[at + 1] += factor * s21;
  z[at + 2] += factor * s22;
  z[at + 3] += factor * s23;
  at += target.stride;
  z[at] += factor * s30;
  z[at + 1] += factor * s31;
  z[at + 2] += factor * s32;
  z[at + 3] += factor * s33;
}

/** The same sums one by one, for tiles cut off by the right or lower edge. */
function addEdge(
  target: MatrixView,
  i0: number,
  j0: number,
  factor: number,
  a: MatrixView,
  b: MatrixView,
  start: number,
  length: number,
): void {
  for (let i = i0; i < Math.min(i0 + 4, target.rows); i++) {
    for (let j = j0; j < Math.min(j0 + 4, target.columns); j++) {
      const x = a.offset + i * a.stride + start;
      const y = b.offset + j * b.stride + start;
      let sum = 0;
      for (let k = 0; k < length; k++) sum += a.data[x + k] * b.data[y + k];
      target.data[target.offset + i * target.stride + j] += factor * sum;
    }
  }
}
