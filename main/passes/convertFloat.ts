import { LatheError } from '../../preload/contract/errors.ts';
import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import {
  fromBfloat16Bits,
  fromFloat16Bits,
  toBfloat16Bits,
  toFloat16Bits,
} from '../numeric/float16.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import { int } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';
import { readDecoder, type Decoder } from './decoder.ts';
import { edited, nodeOf, weightBytes, type Edit } from './edit.ts';
import { isFloatLinear, readFloats } from './linear.ts';
import type { Pass } from './pass.ts';

type Step = StepOf<'convert-float'>;
type Type = Step['type'];

/**
 * Stores the matrices of a model as 16-bit floats, widened again where they are used: half the
 * file, the same speed. Norms, biases and rotary tables stay float32.
 */
export const convertFloatPass: Pass<Step> = {
  name: 'convert-float',
  check: ({ model }) => void matrices(readDecoder(model)),
  estimate({ model }) {
    const tensors = matrices(readDecoder(model)).map(({ tensor }) => tensor);
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    return {
      bytes: weightBytes(model) - bytes / 2,
      peakBytes: bytes / 2 + Math.max(...tensors.map((tensor) => tensor.bytes.length)),
      seconds: bytes * 1e-8,
    };
  },
  async run({ model, config }, { type, overflow }, context) {
    const found = matrices(readDecoder(model));
    const edits: Edit[] = [];
    const layers: LayerReport[] = [];
    const notes: string[] = [];
    for (const [index, { layer, tensor }] of found.entries()) {
      const started = performance.now();
      context.progress(index / found.length, layer);
      await nextTurn(context.signal);
      const { bits, overflows, underflows, error } = await narrowed(
        readFloats(tensor),
        type,
        context.signal,
      );
      if (overflows > 0 && overflow === 'refuse') {
        throw new LatheError('usage', `values beyond ${type} in ${tensor.name}: ${overflows}`, {
          tensor: tensor.name,
          value: String(overflows),
        });
      }
      const kept = overflows > 0;
      const stored = lazyTensor(tensor.name, type, tensor.dims, () => new Uint8Array(bits.buffer));
      if (!kept) edits.push(...storedEdits(model, stored));
      const bytes = kept ? tensor.bytes.length : stored.bytes.length;
      const counts = [
        ...(kept ? [`kept in float32: ${overflows} values are beyond ${type}`] : []),
        ...(underflows > 0 ? [`${underflows} values became 0`] : []),
      ];
      const report: LayerReport = {
        layer,
        measure: 'weight',
        errorBefore: 0,
        errorAfter: kept ? 0 : error,
        bits: kept ? 32 : 16,
        bytesBefore: tensor.bytes.length,
        bytes,
        seconds: (performance.now() - started) / 1000,
        ...(counts.length > 0 && { note: counts.join('; ') }),
      };
      if (counts.length > 0) notes.push(`${layer}: ${counts.join('; ')}`);
      layers.push(report);
      context.layer(report);
    }
    return { model: edited(model, ...edits), config, layers, notes };
  },
};

/** The float32 matrices of a decoder, each once; a tied one goes by the name of the embedding. */
function matrices({ embedding, linears }: Decoder): { layer: string; tensor: Tensor }[] {
  const all = [
    ...(embedding.weight === null ? [] : [{ layer: 'embed', tensor: embedding.weight }]),
    ...linears
      .filter(isFloatLinear)
      .filter(({ shared }) => !shared)
      .map(({ name, weight }) => ({ layer: name, tensor: weight })),
  ].filter(({ tensor }) => tensor.dataType === 'float32');
  if (all.length > 0) return all;
  throw new LatheError('usage', 'there is no matrix in float32 to convert: 0');
}

/** Values narrowed between two turns of the event loop. */
const valuesAtATime = 2 ** 20;

/** Values in 16 bits, what was lost on the way, and ‖W - Ŵ‖ / ‖W‖. */
async function narrowed(values: Float32Array, type: Type, signal: AbortSignal) {
  const toBits = type === 'float16' ? toFloat16Bits : toBfloat16Bits;
  // All exponent bits of the type set: infinity.
  const infinity = type === 'float16' ? 0x7c00 : 0x7f80;
  const bits = new Uint16Array(values.length);
  let overflows = 0;
  let underflows = 0;
  let power = 0;
  let noise = 0;
  for (let i = 0; i < values.length; i++) {
    if (i % valuesAtATime === 0) await nextTurn(signal);
    const value = values[i];
    const stored = toBits(value);
    bits[i] = stored;
    const magnitude = stored & 0x7fff;
    if (magnitude >= infinity) {
      overflows++;
      continue;
    }
    if (magnitude === 0 && value !== 0) underflows++;
    power += value * value;
    noise += (value - widened(stored, type)) ** 2;
  }
  return { bits, overflows, underflows, error: noise === 0 ? 0 : Math.sqrt(noise / power) };
}

function widened(stored: number, type: Type): number {
  return type === 'float16' ? fromFloat16Bits(stored) : fromBfloat16Bits(stored);
}

/** Users of the constant read it widened; a look-up widens only the rows it takes. */
function storedEdits({ graph }: Model, stored: Tensor): Edit[] {
  const { name } = stored;
  const users = graph.nodes.filter(({ inputs }) => inputs.includes(name));
  const wide = `${name}.float32`;
  let cast: Node | null = castNode(name, wide);
  return users.map((user): Edit => {
    if (user.opType === 'Gather') {
      const rows = `${user.outputs[0]}.${stored.dataType}`;
      const nodes = [{ ...user, outputs: [rows] }, castNode(rows, user.outputs[0])];
      return { remove: [user], nodes, initializers: [stored] };
    }
    const inputs = user.inputs.map((input) => (input === name ? wide : input));
    const nodes = [...(cast === null ? [] : [cast]), { ...user, inputs }];
    cast = null;
    return { remove: [user], nodes, initializers: [stored] };
  });
}

function castNode(from: string, to: string): Node {
  return nodeOf('Cast', [from], [to], { attributes: { to: int(dataTypes.float32.code) } });
}
