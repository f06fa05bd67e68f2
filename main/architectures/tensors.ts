import { LatheError } from '../../preload/contract/errors.ts';
import type { NamedTensor, NamedTensors } from '../formats/namedTensors.ts';
import { toFloat32, type FloatType } from '../numeric/floats.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';
import type { RequiredTensor } from './architecture.ts';

/** A weight whose storage type a graph can compute with. */
export interface Weight extends NamedTensor {
  readonly dataType: FloatType;
}

/** Weights by name, all there and of the right shape. */
export type Weights = (name: string) => Weight;

/** Storage types that graphs compute with: float32, and what converts to it exactly. */
const usable: readonly string[] = ['float32', 'float16', 'bfloat16'] satisfies FloatType[];

/**
 * Checks that weight files hold what a model needs, before anything is built: `tensor_missing`,
 * or `tensor_mismatch` for another shape or element type, naming file and tensor.
 */
export function checkTensors(tensors: NamedTensors, required: readonly RequiredTensor[]): Weights {
  const missing = required.filter(({ name }) => tensors.get(name) === undefined);
  if (missing.length > 0) {
    const [{ name }] = missing;
    const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new LatheError(
      'tensor_missing',
      `tensor is missing: ${name}${others} (${tensors.path})`,
      {
        file: tensors.path,
        tensor: name,
      },
    );
  }
  const weights = new Map(required.map((wanted) => [wanted.name, checkTensor(tensors, wanted)]));
  return (name) => {
    const weight = weights.get(name);
    if (weight === undefined) throw new RangeError(`not among the required tensors: ${name}`);
    return weight;
  };
}

function checkTensor(tensors: NamedTensors, { name, shape }: RequiredTensor): Weight {
  const found = tensors.get(name);
  if (found === undefined) throw new RangeError(`checked before: ${name}`);
  const mismatch = (what: string, value: string): LatheError =>
    new LatheError('tensor_mismatch', `tensor ${name} must be ${what}: ${value} (${found.file})`, {
      file: found.file,
      offset: found.offset,
      tensor: name,
      value,
    });
  if (found.shape.length !== shape.length || found.shape.some((dim, i) => dim !== shape[i])) {
    throw mismatch(`of shape [${shape.join(', ')}]`, `[${found.shape.join(', ')}]`);
  }
  if (!isWeight(found)) throw mismatch(usable.join(', '), found.dataType);
  return found;
}

function isWeight(tensor: NamedTensor): tensor is Weight {
  return usable.includes(tensor.dataType);
}

/** A change to the bytes of one weight, by whole elements of `size` bytes. */
export type Rearrange = (bytes: Uint8Array, size: number) => Uint8Array;

/** A weight and what is to be done to its elements. */
export interface Part {
  readonly weight: Weight;
  readonly rearrange?: Rearrange | undefined;
}

/**
 * Matrices one below the other as one constant of `dims`, in the type they are stored in; where
 * they differ, in float32. Read when the graph is saved.
 */
export function stack(name: string, parts: readonly Part[], dims: readonly number[]): Tensor {
  const types = new Set(parts.map(({ weight }) => weight.dataType));
  const dataType = types.size === 1 ? parts[0].weight.dataType : 'float32';
  const size = dataType === 'float32' ? 4 : 2;
  return lazyTensor(name, dataType, dims, () =>
    joined(
      parts.map(({ weight, rearrange }) => {
        const bytes = weight.dataType === dataType ? weight.read() : float32Bytes(weight);
        return rearrange === undefined ? bytes : rearrange(bytes, size);
      }),
    ),
  );
}

/** Vectors one after the other as a float32 constant: norms and biases are too small to store less. */
export function vector(name: string, parts: readonly Part[], length: number): Tensor {
  return lazyTensor(name, 'float32', [length], () =>
    joined(
      parts.map(({ weight, rearrange }) => {
        const bytes = float32Bytes(weight);
        return rearrange === undefined ? bytes : rearrange(bytes, 4);
      }),
    ),
  );
}

function float32Bytes(weight: Weight): Uint8Array {
  const { buffer, byteOffset, byteLength } = toFloat32(weight.dataType, weight.read());
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
