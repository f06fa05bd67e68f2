import { LatheError } from '../../preload/contract/errors.ts';
import type { Floats } from '../numeric/linearAlgebra/matrix.ts';
import { scaleColumns } from '../numeric/quantization/smoothQuant.ts';
import type { Model } from '../onnx/model.ts';
import type { Norm } from './decoder.ts';
import type { Edit } from './edit.ts';
import { floatTensor, readFloats, readWeight, weightEdit, type FloatLinear } from './linear.ts';

/** A norm whose scale is divided by s, channel by channel: what it gives becomes x / s. */
export function divideNorm(model: Model, { weight, node }: Norm, s: Floats): Edit {
  requireOneUser(model, weight.name, node.name);
  const values = readFloats(weight).map((value, i) => value / s[i]);
  return { initializers: [floatTensor(weight, values, weight.dims)] };
}

/** A layer whose input channels are multiplied by s: takes x / s and gives what it gave. */
export function multiplyColumns(linear: FloatLinear, s: Floats): Edit {
  return weightEdit(linear, scaleColumns(readWeight(linear), s).data);
}

/** A layer whose outputs from row `from` on are divided by s, bias included. */
export function divideRows(linear: FloatLinear, from: number, s: Floats): Edit {
  const { columns, bias } = linear;
  const values = readWeight(linear).data.slice();
  for (let row = 0; row < s.length; row++) {
    for (let i = (from + row) * columns; i < (from + row + 1) * columns; i++) values[i] /= s[row];
  }
  const edit = weightEdit(linear, values);
  if (bias === null) return edit;
  const shifted = readFloats(bias).slice();
  for (let row = 0; row < s.length; row++) shifted[from + row] /= s[row];
  const initializers = [...(edit.initializers ?? []), floatTensor(bias, shifted, bias.dims)];
  return { ...edit, initializers };
}

/** Folding into a constant that something else uses too would change that as well. */
function requireOneUser({ graph }: Model, name: string, node: string): void {
  const users = graph.nodes.filter(({ inputs }) => inputs.includes(name));
  if (users.length <= 1) return;
  throw new LatheError('graph_invalid', `a norm shares its weights with another: ${name}`, {
    tensor: name,
    node,
  });
}
