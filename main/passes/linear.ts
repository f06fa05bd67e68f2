import { LatheError } from '../../preload/contract/errors.ts';
import { requireFinite, type Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { toFloat32, type FloatType } from '../numeric/floats.ts';
import { toBfloat16Bits, toFloat16Bits } from '../numeric/float16.ts';
import type { Node } from '../onnx/model.ts';
import { lazyTensor, tensorOf, type Tensor } from '../onnx/tensor.ts';
import type { Edit } from './edit.ts';

/** What a linear layer of a Llama block is for. */
export type LinearRole = 'qkv' | 'o' | 'gateUp' | 'down' | 'head';

/** Rows `from` … `to` - 1 of a layer that other tools know as a layer of its own. */
export interface LinearPart {
  readonly name: 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down' | 'head';
  readonly from: number;
  readonly to: number;
}

/** y = W x + b between two named values, however it is stored. */
export interface Linear {
  /** Hook name: `blocks.3.attn.qkv`, `.attn.o`, `.mlp.gate_up`, `.mlp.down`, or `lm_head`. */
  readonly name: string;
  readonly role: LinearRole;
  /** Index of the block; null for the output matrix. */
  readonly block: number | null;
  /** Value it reads, [batch, tokens, K]. */
  readonly input: string;
  /** Value it gives, [batch, tokens, N], bias included. */
  readonly output: string;
  /** N, output channels. */
  readonly rows: number;
  /** K, input channels. */
  readonly columns: number;
  /** All nodes between `input` and `output`, in order. */
  readonly nodes: readonly Node[];
  /** [N, K] as stored (float32, float16 or bfloat16); null where it is no single float matrix. */
  readonly weight: Tensor | null;
  /** [N], or null. */
  readonly bias: Tensor | null;
  readonly parts: readonly LinearPart[];
  /** The embedding uses the same constant. */
  readonly shared: boolean;
}

/** A linear layer whose weight is one float matrix. */
export interface FloatLinear extends Linear {
  readonly weight: Tensor;
}

/** Whether the layer can be quantized, pruned or factored: its weight is one float matrix. */
export function isFloatLinear(linear: Linear): linear is FloatLinear {
  return linear.weight !== null;
}

const floatTypes: readonly string[] = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
] satisfies FloatType[];

/** Whether a constant holds real numbers that `readFloats` gives. */
export function isFloatTensor(tensor: Tensor): tensor is Tensor & { readonly dataType: FloatType } {
  return floatTypes.includes(tensor.dataType);
}

/**
 * The elements of a float constant as float32; they may share the constant's memory: copy before
 * writing. `values_not_finite` names the tensor where one is NaN or infinite.
 */
export function readFloats(tensor: Tensor): Float32Array {
  if (!isFloatTensor(tensor)) {
    const { name, dataType } = tensor;
    throw new LatheError('tensor_mismatch', `${name} must hold floats: ${dataType}`, {
      tensor: name,
      value: dataType,
    });
  }
  const values = toFloat32(tensor.dataType, tensor.bytes.read());
  requireFinite(values, 'weights', tensor.name);
  return values;
}

/** The weight of a layer, [N, K]; see `readFloats`. */
export function readWeight({ weight, rows, columns }: FloatLinear): Matrix<Float32Array> {
  return { rows, columns, data: readFloats(weight) };
}

/**
 * The edit that puts other nodes in the place of a layer's. They read `linear.input` and give
 * `linear.output` (bias included); constants that nothing uses any more go.
 */
export function linearEdit(
  linear: Linear,
  { nodes, initializers }: Required<Pick<Edit, 'nodes' | 'initializers'>>,
): Edit {
  return { remove: linear.nodes, nodes, initializers };
}

/** The edit that stores other values [N, K] in the place of a layer's weight, in its own type. */
export function weightEdit({ weight }: FloatLinear, values: Float32Array): Edit {
  return { initializers: [floatTensor(weight, values, weight.dims)] };
}

/**
 * A constant like `tensor` with other values, stored in the type it has: 16-bit constants stay so,
 * because the graph widens them. `dims` is
 * the shape of the new one.
 */
export function floatTensor(
  { name, dataType }: Tensor,
  values: Float32Array,
  dims: readonly number[],
): Tensor {
  switch (dataType) {
    case 'float16':
    case 'bfloat16': {
      const toBits = dataType === 'float16' ? toFloat16Bits : toBfloat16Bits;
      const bytes = new Uint8Array(Uint16Array.from(values, toBits).buffer);
      return lazyTensor(name, dataType, dims, () => bytes);
    }
    default:
      return tensorOf(name, dims, values);
  }
}
