import { doublesOf, float64, Session, type SessionOptions } from '../../inference/session.ts';
import {
  addProductNow,
  nextTurn,
  type MatrixMultiply,
  type MatrixView,
} from '../../numeric/linearAlgebra/multiply.ts';
import { int } from '../../onnx/attributes.ts';
import { GraphBuilder } from '../../onnx/build.ts';
import { encodeModel } from '../../onnx/save.ts';

/** Below so many multiply-adds plain loops are done before the runtime has begun. */
const worthwhile = 2 ** 19;

/** A run ends before this many multiply-adds, so that a cancel is heard in time. */
const largest = 2 ** 34;

/** `MatrixMultiply` over the runtime's Gemm in float64: ten times as fast as loops in JavaScript. */
export async function openMultiply(
  options: SessionOptions,
): Promise<MatrixMultiply & { close(): Promise<void> }> {
  const session = await Session.fromBytes(productModel(), 'a matrix product', options);
  return {
    async addProduct(target, factor, a, b) {
      const perRow = b.rows * a.columns;
      if (target.rows * perRow < worthwhile) {
        addProductNow(target, factor, a, b);
        return;
      }
      const right = float64(gathered(b), [b.rows, b.columns]);
      const atOnce = Math.max(1, Math.floor(largest / perRow));
      for (let row = 0; row < target.rows; row += atOnce) {
        if (row > 0) await nextTurn();
        const rows = Math.min(atOnce, target.rows - row);
        const left = float64(gathered(slice(a, row, rows)), [rows, a.columns]);
        const { product } = await session.run({ a: left, b: right }, ['product']);
        add(slice(target, row, rows), factor, doublesOf(product));
      }
    },
    close: () => session.close(),
  };
}

/** product[m, n] = a[m, k] · b[n, k]ᵀ. */
function productModel(): Uint8Array {
  const build = new GraphBuilder({ name: 'product', opset: 21 });
  const a = build.input('a', 'float64', ['m', 'k']);
  const b = build.input('b', 'float64', ['n', 'k']);
  build.node('Gemm', [a, b], { outputs: ['product'], attributes: { transB: int(1) } });
  build.output('product', 'float64', ['m', 'n']);
  return encodeModel(build.finish());
}

function slice(view: MatrixView, first: number, rows: number): MatrixView {
  return { ...view, offset: view.offset + first * view.stride, rows };
}

/** The rows of a view one after the other; the array itself where they lie so already. */
function gathered({ data, offset, stride, rows, columns }: MatrixView): Float64Array {
  if (stride === columns) return data.subarray(offset, offset + rows * columns);
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = offset + row * stride;
    values.set(data.subarray(at, at + columns), row * columns);
  }
  return values;
}

function add(target: MatrixView, factor: 1 | -1, product: Float64Array): void {
  const { data, offset, stride, rows, columns } = target;
  for (let row = 0; row < rows; row++) {
    const at = offset + row * stride;
    const from = row * columns;
    for (let i = 0; i < columns; i++) data[at + i] += factor * product[from + i];
  }
}
