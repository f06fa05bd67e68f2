import { describe, expect, test } from 'vitest';
import {
  addTokens,
  createHessian,
  factorHessian,
  hessianMatrix,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import {
  addProductNow,
  type MatrixMultiply,
  type MatrixView,
  nextTurn,
  plainMultiply,
} from '../../../main/numeric/linearAlgebra/multiply.ts';
import { quantizeGptq } from '../../../main/numeric/quantization/gptq.ts';
import { correlatedInputs, distance, randomMatrix } from '../samples.ts';
import { createRuntimeMultiply } from './runtimeMultiply.ts';

/** A view of random values with a margin around it. */
function randomView(seed: number, rows: number, columns: number): MatrixView {
  const stride = columns + 3;
  const { data } = randomMatrix(seed, rows + 2, stride);
  return { data: Float64Array.from(data), offset: stride + 2, stride, rows, columns };
}

/** target + factor · a · bᵀ, one sum at a time. */
function expected(target: MatrixView, factor: number, a: MatrixView, b: MatrixView): Float64Array {
  const data = target.data.slice();
  for (let i = 0; i < target.rows; i++) {
    for (let j = 0; j < target.columns; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) {
        sum += a.data[a.offset + i * a.stride + k] * b.data[b.offset + j * b.stride + k];
      }
      data[target.offset + i * target.stride + j] += factor * sum;
    }
  }
  return data;
}

const sizes = [
  [1, 1, 1],
  [4, 4, 256],
  [5, 7, 3],
  [12, 8, 300],
  [9, 3, 257],
  [3, 5, 0],
] as const;

describe.each(sizes)('%i × %i sums of %i products', (m, n, k) => {
  test.each([1, -1] as const)('times %i are added inside the view and nowhere else', (factor) => {
    const [target, a, b] = [randomView(1, m, n), randomView(2, m, k), randomView(3, n, k)];
    const after = expected(target, factor, a, b);
    addProductNow(target, factor, a, b);
    expect(distance(target.data, after)).toBeLessThanOrEqual(1e-13);
  });
});

async function gptqWith(multiply: MatrixMultiply) {
  const hessian = createHessian(200);
  await addTokens(hessian, correlatedInputs(1, 500, 200), { multiply });
  const factor = await factorHessian(hessianMatrix(hessian), 200, { multiply });
  const options = { bits: 4, groupSize: 32, grid: 'gptq-asymmetric', multiply } as const;
  return quantizeGptq(randomMatrix(2, 40, 200), factor, options);
}

describe('the plain and the runtime’s multiplication', () => {
  test('add the same to a view, and give the same codes', async () => {
    const runtime = await createRuntimeMultiply();
    try {
      const [a, b] = [randomView(2, 70, 300), randomView(3, 65, 300)];
      const [plain, other] = [randomView(1, 70, 65), randomView(1, 70, 65)];
      await plainMultiply.addProduct(plain, -1, a, b);
      await runtime.addProduct(other, -1, a, b);
      expect(distance(other.data, plain.data)).toBeLessThanOrEqual(1e-13);
      const [first, second] = [await gptqWith(plainMultiply), await gptqWith(runtime)];
      expect(second.quantized).toEqual(first.quantized);
    } finally {
      await runtime.close();
    }
  });
});

test('long products let the event loop run', async () => {
  const [target, a, b] = [
    randomView(1, 600, 600),
    randomView(2, 600, 600),
    randomView(3, 600, 600),
  ];
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await plainMultiply.addProduct(target, 1, a, b);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test('after a cancel the next turn does not come', async () => {
  const controller = new AbortController();
  await nextTurn(controller.signal);
  controller.abort();
  await expect(nextTurn(controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
});
