import type { NamedTensors } from '../../main/formats/namedTensors.ts';
import { toFloat32 } from '../../main/numeric/floats.ts';

/** Largest difference, relative to the largest expected magnitude; NaN where a value is NaN. */
export function worstRelative(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return NaN;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    const difference = Math.abs(found[i] - expected[i]);
    if (!(difference <= worst)) worst = difference;
  }
  return worst / largest;
}

/** Weights by name as float64, each converted once. */
export function float64Tensors(tensors: NamedTensors): (name: string) => Float64Array {
  const known = new Map<string, Float64Array>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`no such tensor: ${name}`);
    const { dataType } = tensor;
    if (dataType !== 'float32' && dataType !== 'float16' && dataType !== 'bfloat16') {
      throw new Error(`not a weight: ${dataType}`);
    }
    const values = Float64Array.from(toFloat32(dataType, tensor.read()));
    known.set(name, values);
    return values;
  };
}
