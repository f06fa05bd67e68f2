import { integersOf, Session, uint8 } from '../../inference/session.ts';
import { GraphBuilder } from '../../onnx/build.ts';
import { encodeModel } from '../../onnx/save.ts';
import { tensorOf } from '../../onnx/tensor.ts';

const rows = 4;
const inner = 256;
const columns = 16;

let probed: Promise<boolean> | undefined;

/**
 * Whether integer products with full signed 8-bit weights come out wrong on this processor: x64
 * without VNNI adds pairs of products in 16 saturating bits. Lathe writes unsigned weights, which
 * are right everywhere; a model that others quantized may lose much. A few milliseconds, once per
 * process.
 */
export function signedBytesSaturate(): Promise<boolean> {
  probed ??= probe();
  return probed;
}

/** For the log. */
export const saturationWarning =
  'this processor adds 8-bit products in 16 bits: models quantized to full int8 weights elsewhere give wrong results here; those that Lathe makes do not\n';

async function probe(): Promise<boolean> {
  const build = new GraphBuilder({ name: 'saturation', opset: 21 });
  const codes = build.input('codes', 'uint8', [rows, inner]);
  const weight = tensorOf('weight', [inner, columns], new Int8Array(inner * columns).fill(127));
  build.node('MatMulInteger', [codes, build.initializer(weight)], { outputs: ['sums'] });
  build.output('sums', 'int32', [rows, columns]);
  const model = encodeModel(build.finish());
  const session = await Session.fromBytes(model, 'the test of 8-bit products', {
    threads: 1,
    device: 'cpu',
  });
  try {
    const largest = new Uint8Array(rows * inner).fill(255);
    const { sums } = await session.run({ codes: uint8(largest, [rows, inner]) }, ['sums']);
    return integersOf(sums).some((sum) => sum !== 255 * 127 * inner);
  } finally {
    await session.close();
  }
}
