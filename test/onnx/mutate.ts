import { GraphBuilder } from '../../main/onnx/build.ts';
import { float, graphValue, int, ints, tensorValue, text } from '../../main/onnx/attributes.ts';
import type { Model } from '../../main/onnx/model.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import type { Random } from '../../main/numeric/random.ts';

/** A small valid model with something of everything: attributes of many kinds, a branch, a loop. */
const branch = (name: string, opType: string): Model['graph'] => ({
  name,
  nodes: [
    {
      name: `${name} node`,
      opType,
      domain: '',
      overload: '',
      inputs: ['scaled'],
      outputs: [`${name} out`],
      attributes: new Map(),
    },
  ],
  initializers: new Map(),
  sparseInitializers: [],
  inputs: [],
  outputs: [{ name: `${name} out`, type: { kind: 'tensor', dataType: 'float32', shape: null } }],
  valueInfo: [],
});

export function smallModel(): Model {
  const build = new GraphBuilder({ name: 'small', opset: 21 });
  const x = build.input('x', 'float32', ['batch', 4]);
  const weight = build.initializer(tensorOf('weight', [4, 4], new Float32Array(16).fill(0.5)));
  const [product = ''] = build.node('MatMul', [x, weight]);
  const [scaled = ''] = build.node('Mul', [product, build.f32Scalar(2)], { outputs: ['scaled'] });
  const [condition = ''] = build.node('Constant', [], {
    attributes: { value: tensorValue({ ...tensorOf('', [], Uint8Array.of(1)), dataType: 'bool' }) },
  });
  const [chosen = ''] = build.node('If', [condition], {
    attributes: {
      then_branch: graphValue(branch('then', 'Relu')),
      else_branch: graphValue(branch('else', 'Abs')),
    },
  });
  const [activated = ''] = build.node('LeakyRelu', [chosen], { attributes: { alpha: float(0.1) } });
  const [rows = ''] = build.node('Reshape', [activated, build.i64([-1, 2])], {
    attributes: { allowzero: int(0) },
  });
  const [turned = ''] = build.node('Transpose', [rows], { attributes: { perm: ints([1, 0]) } });
  const [cast = ''] = build.node('Cast', [turned], { attributes: { to: int(1) } });
  const [y = ''] = build.node('Gelu', [cast], {
    attributes: { approximate: text('tanh') },
    outputs: ['y'],
  });
  build.output(y, 'float32', [2, 'rows']);
  build.output(scaled, 'float32', ['batch', 4]);
  return build.finish();
}

/** One damage to bytes, drawn from what breaks parsers: bits, lengths, tags, cuts, moved pieces. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const below = (end: number): number => Math.floor(random.next() * end);
  const place = below(bytes.length);
  const changed = bytes.slice();
  switch (below(6)) {
    case 0:
      changed[place] = (changed[place] ?? 0) ^ (1 << below(8));
      return changed;
    case 1:
      return bytes.slice(0, place);
    case 2: {
      const piece = bytes.slice(below(bytes.length)).slice(0, 1 + below(40));
      return Uint8Array.from([...bytes.slice(0, place), ...piece, ...bytes.slice(place)]);
    }
    case 3: {
      const extremes = [0, 1, 0x7f, 0x80, 0xff];
      changed[place] = extremes[below(extremes.length)] ?? 0;
      return changed;
    }
    case 4: {
      // A field of any number and wire type, with a value or length that may be huge.
      const tag = [(below(16) << 3) | below(8), ...(below(2) === 0 ? [] : [0xff, 0xff, 0x03])];
      return Uint8Array.from([...bytes.slice(0, place), ...tag, ...bytes.slice(place)]);
    }
    default:
      return Uint8Array.from([...bytes.slice(0, place), ...bytes.slice(place + 1 + below(20))]);
  }
}
