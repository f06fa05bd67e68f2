import type { Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Decoder } from './decoder.ts';
import type { GraphIndex } from './graphIndex.ts';
import { isFloatTensor, readFloats, type Linear } from './linear.ts';
import {
  floatsOfBlocks,
  floatsOfQdq,
  integers,
  product,
  transposed,
  unreadable,
  type Floats,
} from './floatMatrix.ts';

/** y = W x + b. */
export interface LinearMap {
  /** [N, K] */
  readonly weight: Floats;
  /** [N], or null. */
  readonly bias: Floats | null;
}

/** A value of the nodes between a layer's input and its output. */
type Value =
  /** The layer's input, rounded or not: rounding activations is no part of the weights. */
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly floats: Floats }
  | ({ readonly kind: 'map' } & LinearMap);

/**
 * The matrix that a linear layer multiplies by, however it is stored: in blocks, quantized and
 * dequantized, in 8-bit integers, as two factors. `graph_invalid` names the operator that is none of
 * these.
 */
export function linearMapOf(graph: GraphIndex, { nodes, input, output }: Linear): LinearMap {
  const values = new Map<string, Value>([[input, { kind: 'input' }]]);
  for (const node of nodes) evaluate(graph, node, values);
  const result = values.get(output);
  if (result?.kind === 'map') return result;
  throw unreadable(output);
}

/** The rows of an embedding [vocabulary, hidden], stored as floats or in blocks. */
export function embeddingTable(
  graph: GraphIndex,
  { embedding, vocabularySize, hiddenSize }: Decoder,
): Floats {
  if (embedding.weight !== null) return floatsOf(embedding.weight);
  const [node, ...others] = embedding.nodes;
  const tensor = (at: number): Tensor | null => graph.weight(node.inputs[at] ?? '');
  const [codes, scales] = [tensor(0), tensor(2)];
  const packed = node.opType === 'GatherBlockQuantized' && codes?.dataType === 'uint8';
  if (!packed || scales === null || others.length > 0) throw unreadable(node.opType, node);
  const bits = node.attributes.get('bits');
  return floatsOfBlocks({
    rows: vocabularySize,
    columns: hiddenSize,
    bits: bits?.kind === 'int' ? Number(bits.value) : 4,
    blockSize: graph.int(node, 'block_size'),
    codes,
    scales,
    zeroPoints: tensor(3),
  });
}

function evaluate(graph: GraphIndex, node: Node, values: Map<string, Value>): void {
  const { opType, inputs, outputs } = node;
  const give = (value: Value): void => void values.set(outputs[0], value);
  const known = (at: number): Value | undefined => {
    const name = inputs[at] ?? '';
    const constant = graph.model.graph.initializers.get(name);
    if (constant === undefined || !isFloatTensor(constant)) return values.get(name);
    return { kind: 'constant', floats: floatsOf(constant) };
  };
  const constant = (at: number): Floats => {
    const value = known(at);
    if (value?.kind === 'constant') return value.floats;
    throw unreadable(opType, node);
  };
  const stored = (at: number): Tensor | null => storedAt(graph, inputs[at] ?? '');
  const codes = (at: number): Tensor => {
    const tensor = stored(at);
    if (tensor !== null) return tensor;
    throw unreadable(opType, node);
  };
  switch (opType) {
    case 'Cast':
    case 'Identity':
    case 'Reshape':
    case 'QuantizeLinear': {
      const value = known(0);
      // Codes in another shape: whoever uses them looks behind.
      if (value !== undefined) give(value);
      return;
    }
    case 'DynamicQuantizeLinear':
      // Codes times their scale are the input again; the scale counts as 1.
      give({ kind: 'input' });
      values.set(outputs[1], {
        kind: 'constant',
        floats: { dims: [], read: () => Float32Array.of(1) },
      });
      return;
    case 'DequantizeLinear': {
      const value = known(0);
      if (value?.kind === 'input') return give(value);
      const axis = intOf(node, 'axis', 1);
      const blockSize = intOf(node, 'block_size', 0);
      const floats = floatsOfQdq(codes(0), codes(1), stored(2), { axis, blockSize });
      return give({ kind: 'constant', floats });
    }
    case 'MatMulNBits': {
      const weight = floatsOfBlocks({
        rows: intOf(node, 'N', 0),
        columns: intOf(node, 'K', 0),
        bits: intOf(node, 'bits', 4),
        blockSize: intOf(node, 'block_size', 0),
        codes: codes(1),
        scales: codes(2),
        zeroPoints: stored(3),
      });
      if (stored(4) !== null) throw unreadable('MatMulNBits with g_idx', node);
      return give(composed(node, known(0), { weight, bias: inputs[5] ? constant(5) : null }));
    }
    case 'MatMulInteger': {
      const weight = transposed(centred(codes(1), stored(3)));
      return give(composed(node, known(0), { weight, bias: null }));
    }
    case 'MatMul':
      return give(composed(node, known(0), { weight: transposed(constant(1)), bias: null }));
    case 'FusedMatMul': {
      const plain = intOf(node, 'transA', 0) === 0 && floatOf(node, 'alpha', 1) === 1;
      if (!plain) throw unreadable(opType, node);
      const matrix = constant(1);
      const weight = intOf(node, 'transB', 0) === 1 ? matrix : transposed(matrix);
      return give(composed(node, known(0), { weight, bias: null }));
    }
    case 'Mul':
    case 'Add': {
      const [a, b] = [known(0), known(1)];
      if (a === undefined || b === undefined) throw unreadable(opType, node);
      return give(combined(node, a, b) ?? combined(node, b, a) ?? unknown(node));
    }
    case 'Concat':
      return give(
        stacked(
          node,
          inputs.map((_, at) => known(at)),
        ),
      );
    default:
      throw unreadable(opType, node);
  }
}

/** A product, a scale or a sum with a constant; null where the arguments are the other way round. */
function combined({ opType }: Node, a: Value, b: Value): Value | null {
  if (b.kind !== 'constant') return null;
  const { floats } = b;
  if (a.kind === 'constant' && opType === 'Mul') {
    // One of them is one number.
    const [one, many] = a.floats.dims.length === 0 ? [a.floats, floats] : [floats, a.floats];
    const read = (): Float32Array => many.read().map((value) => value * one.read()[0]);
    return { kind: 'constant', floats: { dims: many.dims, read } };
  }
  if (a.kind !== 'map') return null;
  if (opType === 'Add') return { ...a, bias: sum(a.bias, floats) };
  const { weight } = a;
  const columns = weight.dims[1];
  return {
    kind: 'map',
    weight: {
      dims: weight.dims,
      read() {
        const scales = floats.read();
        return weight.read().map((value, at) => {
          return value * scales[scales.length === 1 ? 0 : Math.floor(at / columns)];
        });
      },
    },
    bias: a.bias && { dims: a.bias.dims, read: () => scaled(a.bias, floats) },
  };
}

const scaled = (bias: Floats | null, scales: Floats): Float32Array => {
  const by = scales.read();
  return (bias?.read() ?? new Float32Array()).map((value, at) => value * by[at % by.length]);
};

const sum = (a: Floats | null, b: Floats): Floats =>
  a === null ? b : { dims: b.dims, read: () => addInto(Float32Array.from(b.read()), a.read()) };

function addInto(target: Float32Array, values: Float32Array): Float32Array {
  for (let i = 0; i < target.length; i++) target[i] += values[i];
  return target;
}

/** A layer behind another is one layer: W₂ (W₁ x + b₁) + b₂. */
function composed(node: Node, before: Value | undefined, { weight, bias }: LinearMap): Value {
  if (before?.kind === 'input') return { kind: 'map', weight, bias };
  if (before?.kind !== 'map') throw unreadable(node.opType, node);
  const first = before.bias;
  const moved =
    first === null ? null : product(weight, { dims: [first.dims[0], 1], read: first.read });
  const carried = moved && { dims: [weight.dims[0]], read: moved.read };
  return {
    kind: 'map',
    weight: product(weight, before.weight),
    bias: bias === null ? carried : sum(carried, bias),
  };
}

/** Arrays one behind the other. */
function joined(all: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(all.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of all) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Layers over one input, their outputs side by side. */
function stacked(node: Node, parts: readonly (Value | undefined)[]): Value {
  const maps = parts.map((part) => {
    if (part?.kind === 'map') return part;
    throw unreadable(node.opType, node);
  });
  const rows = maps.reduce((count, { weight }) => count + weight.dims[0], 0);
  const columns = maps[0].weight.dims[1];
  const biased = maps.some(({ bias }) => bias !== null);
  return {
    kind: 'map',
    weight: {
      dims: [rows, columns],
      read: () => joined(maps.map(({ weight }) => weight.read())),
    },
    bias: biased
      ? {
          dims: [rows],
          read: () =>
            joined(
              maps.map(({ weight, bias }) => bias?.read() ?? new Float32Array(weight.dims[0])),
            ),
        }
      : null,
  };
}

const unknown = (node: Node): never => {
  throw unreadable(node.opType, node);
};

const floatsOf = (tensor: Tensor): Floats => ({
  dims: tensor.dims,
  read: () => readFloats(tensor),
});

/** The constant behind a name, through a Reshape: bytes that an embedding shares. */
function storedAt(graph: GraphIndex, name: string): Tensor | null {
  const direct = graph.model.graph.initializers.get(name);
  if (direct !== undefined) return direct;
  const node = graph.producer(name);
  return node?.opType === 'Reshape' ? storedAt(graph, node.inputs[0]) : null;
}

/** Codes less their zero point, which is one for the whole matrix. */
function centred(codes: Tensor, zeroPoint: Tensor | null): Floats {
  return {
    dims: codes.dims,
    read() {
      const [zero] = zeroPoint === null ? [0] : integers(zeroPoint);
      return Float32Array.from(integers(codes), (value) => value - zero);
    },
  };
}

function intOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? Number(attribute.value) : standard;
}

function floatOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : standard;
}
