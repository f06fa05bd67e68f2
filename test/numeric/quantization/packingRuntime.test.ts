import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { int } from '../../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../../main/onnx/build.ts';
import { encodeModel } from '../../../main/onnx/save.ts';
import { lazyTensor, tensorOf } from '../../../main/onnx/tensor.ts';
import {
  dynamicQuantizeLinear,
  quantizeChannels,
} from '../../../main/numeric/quantization/int8.ts';
import { packBlocks, packGather, packQdq } from '../../../main/numeric/quantization/packing.ts';
import {
  dequantize,
  type Quantized,
  zeroPointOf,
} from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import { distance, randomMatrix } from '../samples.ts';

const rows = 5;

/** The builder as those of these small graphs start. */
function builder(): GraphBuilder {
  return new GraphBuilder({ name: 'packing', opset: 21, msOpset: true });
}

/** Runs the graph on one input and gives its first output. */
async function run(
  build: GraphBuilder,
  feeds: Record<string, ort.Tensor>,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(encodeModel(build.finish()), {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    ...options,
  });
  try {
    const outputs = await session.run(feeds);
    return outputs[session.outputNames[0]].data as Float32Array;
  } finally {
    await session.release();
  }
}

/** Inputs that pick one channel each: the output is the weight as the runtime reads it, [K, N]. */
function identity(columns: number): ort.Tensor {
  const data = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) data[i * columns + i] = 1;
  return new ort.Tensor('float32', data, [columns, columns]);
}

function transposed({ rows: n, columns, codes }: Quantized, values: Float32Array): Float32Array {
  return Float32Array.from(codes, (_, i) => values[(i % n) * columns + Math.floor(i / n)]);
}

function matMulNBits(quantized: Quantized): GraphBuilder {
  const { bits, blockSize, blocks, codes, scales, zeroPoints } = packBlocks(quantized);
  const build = builder();
  const inputs = [
    build.input('x', 'float32', ['m', quantized.columns]),
    build.initializer(tensorOf('codes', [rows, blocks, (blockSize * bits) / 8], codes)),
    build.initializer(tensorOf('scales', [rows, blocks], scales)),
  ];
  if (zeroPoints) {
    inputs.push(
      build.initializer(tensorOf('zero points', [rows, zeroPoints.length / rows], zeroPoints)),
    );
  }
  const attributes = {
    K: int(quantized.columns),
    N: int(rows),
    bits: int(bits),
    block_size: int(blockSize),
    accuracy_level: int(1),
  };
  const [y] = build.node('MatMulNBits', inputs, { attributes, domain: 'com.microsoft' });
  build.output(y, 'float32', ['m', rows]);
  return build;
}

/** The zero points of a weight in the three forms the kernel takes. */
function withZeroPoints(quantized: Quantized, form: 'packed' | 'float' | 'none'): Quantized {
  const whole = Uint8Array.from(quantized.scales, (_, i) => zeroPointOf(quantized, i));
  switch (form) {
    case 'packed':
      return { ...quantized, zeroPoints: { kind: 'integer', values: whole } };
    case 'float':
      return {
        ...quantized,
        zeroPoints: { kind: 'float', values: Float32Array.from(whole, (value) => value + 0.25) },
      };
    case 'none':
      return { ...quantized, zeroPoints: { kind: 'midpoint' } };
  }
}

const grids = ['ort-symmetric', 'ort-asymmetric'] as const;

describe.each([2, 3, 4, 8])('MatMulNBits reads %i bits as dequantized here', (bits) => {
  test.each([16, 32, 64, 128, 256])('in blocks of %i', async (blockSize) => {
    for (const columns of [
      2 * blockSize,
      2 * blockSize + 1,
      blockSize + blockSize / 2 + 3,
      blockSize - 3,
    ]) {
      const weight = randomMatrix(columns, rows, columns);
      for (const grid of grids) {
        const start = quantizeRtn(weight, { bits, groupSize: blockSize, grid });
        for (const form of ['packed', 'float', 'none'] as const) {
          if (form === 'float' && bits === 8) continue;
          const quantized = withZeroPoints(start, form);
          const result = await run(matMulNBits(quantized), { x: identity(columns) });
          expect(
            distance(result, transposed(quantized, dequantize(quantized).data)),
          ).toBeLessThanOrEqual(1e-6);
        }
      }
    }
  });
});

test('MatMulNBits itself refuses float zero points in 8 bits, as packing does', async () => {
  const build = builder();
  const inputs = [
    build.input('x', 'float32', ['m', 16]),
    build.initializer(tensorOf('codes', [rows, 1, 16], new Uint8Array(rows * 16))),
    build.initializer(tensorOf('scales', [rows, 1], new Float32Array(rows))),
    build.initializer(tensorOf('zero points', [rows, 1], new Float32Array(rows))),
  ];
  const attributes = { K: int(16), N: int(rows), bits: int(8), block_size: int(16) };
  const [y] = build.node('MatMulNBits', inputs, { attributes, domain: 'com.microsoft' });
  build.output(y, 'float32', ['m', rows]);
  await expect(run(build, { x: identity(16) })).rejects.toThrow(/./);
});

describe.each([true, false])('block QDQ with signed codes %s', (signed) => {
  test.each([
    [4, 16, 48],
    [4, 32, 64],
    [8, 16, 48],
    [3, 16, 32],
    [4, 16, 33],
  ])(
    'of %i bits in blocks of %i reads as dequantized here, K = %i',
    async (bits, blockSize, columns) => {
      for (const grid of grids) {
        const quantized = quantizeRtn(randomMatrix(bits, rows, columns), {
          bits,
          groupSize: blockSize,
          grid,
        });
        const { dataType, codes, scales, zeroPoints } = packQdq(quantized, signed);
        const groups = Math.ceil(columns / blockSize);
        const build = builder();
        const constant = (name: string, shape: number[], bytes: Uint8Array) =>
          build.initializer(lazyTensor(name, dataType, shape, () => bytes));
        const [weight] = build.node(
          'DequantizeLinear',
          [
            constant('codes', [columns, rows], codes),
            build.initializer(tensorOf('scales', [groups, rows], scales)),
            constant('zero points', [groups, rows], zeroPoints),
          ],
          { attributes: { axis: int(0), block_size: int(blockSize) } },
        );
        const [y] = build.node('MatMul', [build.input('x', 'float32', ['m', columns]), weight]);
        build.output(y, 'float32', ['m', rows]);
        const exact = { extra: { session: { qdq_matmulnbits_accuracy_level: '1' } } };
        const result = await run(build, { x: identity(columns) }, exact);
        expect(
          distance(result, transposed(quantized, dequantize(quantized).data)),
        ).toBeLessThanOrEqual(1e-6);
      }
    },
  );
});

describe('GatherBlockQuantized reads a table as dequantized here', () => {
  const columns = 64;
  const picked = [4, 0, 3, 3];

  function gather(
    build: GraphBuilder,
    data: string,
    scales: Float32Array,
    zeroPoints: string,
    bits: number,
  ): GraphBuilder {
    const inputs = [
      data,
      build.input('ids', 'int64', ['n']),
      build.initializer(tensorOf('scales', [rows, 2], scales)),
      zeroPoints,
    ];
    const attributes = {
      gather_axis: int(0),
      quantize_axis: int(1),
      block_size: int(32),
      ...(bits === 0 ? {} : { bits: int(bits) }),
    };
    const [y] = build.node('GatherBlockQuantized', inputs, { attributes, domain: 'com.microsoft' });
    build.output(y, 'float32', ['n', columns]);
    return build;
  }

  /** How far the rows picked are from those dequantized here. */
  async function pick(build: GraphBuilder, quantized: Quantized): Promise<number> {
    const ids = new ort.Tensor('int64', BigInt64Array.from(picked, BigInt), [picked.length]);
    const table = dequantize(quantized).data;
    const expected = picked.flatMap((id) => [...table.subarray(id * columns, (id + 1) * columns)]);
    return distance(await run(build, { ids }), expected);
  }

  test.each([4, 8])('packed in uint8 by MatMulNBits’ layout, %i bits', async (bits) => {
    for (const grid of grids) {
      const start = quantizeRtn(randomMatrix(bits, rows, columns), { bits, groupSize: 32, grid });
      const quantized = withZeroPoints(start, 'packed');
      const { codes, scales, zeroPoints } = packBlocks(quantized);
      const build = builder();
      const data = build.initializer(tensorOf('table', [rows, (columns * bits) / 8], codes));
      const zeros = zeroPoints as Uint8Array;
      const zero = build.initializer(tensorOf('zeros', [rows, zeros.length / rows], zeros));
      expect(await pick(gather(build, data, scales, zero, bits), quantized)).toBeLessThan(1e-6);
    }
  });

  test.each(['int4', 'uint4'] as const)('as a tensor of %s', async (dataType) => {
    for (const grid of grids) {
      const quantized = quantizeRtn(randomMatrix(3, rows, columns), {
        bits: 4,
        groupSize: 32,
        grid,
      });
      const { codes, scales, zeroPoints } = packGather(quantized, dataType === 'int4');
      const build = builder();
      const data = build.initializer(lazyTensor('table', dataType, [rows, columns], () => codes));
      const zero = build.initializer(lazyTensor('zeros', dataType, [rows, 2], () => zeroPoints));
      expect(await pick(gather(build, data, scales, zero, 0), quantized)).toBeLessThan(1e-6);
    }
  });
});

test('DynamicQuantizeLinear gives the codes, scale and zero point computed here', async () => {
  for (const values of [...Array(6).keys()].map((seed) => randomMatrix(seed, 1, 50).data)) {
    const build = builder();
    const x = build.input('x', 'float32', ['n']);
    const [codes, scale, zeroPoint] = build.node('DynamicQuantizeLinear', [x], { outputs: 3 });
    const [asFloat] = build.node('Cast', [codes], { attributes: { to: int(1) } });
    const [zeroAsFloat] = build.node('Cast', [zeroPoint], { attributes: { to: int(1) } });
    const flat = (name: string) => build.node('Reshape', [name, build.i64([-1])])[0];
    const [all] = build.node('Concat', [flat(scale), flat(zeroAsFloat), flat(asFloat)], {
      attributes: { axis: int(0) },
    });
    build.output(all, 'float32', ['m']);
    const result = await run(build, { x: new ort.Tensor('float32', values, [values.length]) });
    const expected = dynamicQuantizeLinear(values);
    expect([...result]).toEqual([expected.scale, expected.zeroPoint, ...expected.codes]);
  }
});

test('MatMulInteger is exact with uint8 weights around 128, at the largest activations too', async () => {
  const columns = 256;
  const { codes } = quantizeChannels(randomMatrix(1, rows, columns), 'uint8');
  const build = builder();
  const x = build.input('x', 'uint8', ['m', columns]);
  const turned = Uint8Array.from(
    codes,
    (_, i) => codes[(i % rows) * columns + Math.floor(i / rows)],
  );
  const weight = build.initializer(tensorOf('weight', [columns, rows], turned));
  const zero = build.initializer(tensorOf('zero', [], Uint8Array.of(0)));
  const middle = build.initializer(tensorOf('middle', [], Uint8Array.of(128)));
  const [sums] = build.node('MatMulInteger', [x, weight, zero, middle]);
  const [y] = build.node('Cast', [sums], { attributes: { to: int(1) } });
  build.output(y, 'float32', ['m', rows]);
  const inputs = new Uint8Array(columns).fill(255);
  const result = await run(build, { x: new ort.Tensor('uint8', inputs, [1, columns]) });
  const expected = Array.from({ length: rows }, () => 0);
  codes.forEach((code: number, i: number) => {
    expected[Math.floor(i / columns)] += 255 * (code - 128);
  });
  expect([...result]).toEqual(expected);
});
