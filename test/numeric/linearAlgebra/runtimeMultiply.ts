import * as ort from 'onnxruntime-node';
import type { MatrixMultiply, MatrixView } from '../../../main/numeric/linearAlgebra/multiply.ts';
import { GraphBuilder } from '../../../main/onnx/build.ts';
import { encodeModel } from '../../../main/onnx/save.ts';

/** The rows of a view one after the other, as the runtime wants them. */
function gathered({ data, offset, stride, rows, columns }: MatrixView): ort.Tensor {
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = offset + row * stride;
    values.set(data.subarray(at, at + columns), row * columns);
  }
  return new ort.Tensor('float64', values, [rows, columns]);
}

/** `MatrixMultiply` over the runtime's MatMul in float64. */
export async function createRuntimeMultiply(): Promise<
  MatrixMultiply & { readonly close: () => Promise<void> }
> {
  const build = new GraphBuilder({ name: 'product', opset: 21 });
  const a = build.input('a', 'float64', ['m', 'k']);
  const b = build.input('b', 'float64', ['n', 'k']);
  const [turned] = build.node('Transpose', [b]);
  const [product] = build.node('MatMul', [a, turned]);
  build.output(product, 'float64', ['m', 'n']);
  const session = await ort.InferenceSession.create(encodeModel(build.finish()), {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  return {
    async addProduct(target, factor, left, right) {
      const result = await session.run({ a: gathered(left), b: gathered(right) });
      const sums = result[product].data as Float64Array;
      for (let row = 0; row < target.rows; row++) {
        const at = target.offset + row * target.stride;
        const from = row * target.columns;
        for (let i = 0; i < target.columns; i++) target.data[at + i] += factor * sums[from + i];
      }
    },
    close: () => session.release(),
  };
}
