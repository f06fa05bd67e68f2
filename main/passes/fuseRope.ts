import { LatheError } from '../../preload/contract/errors.ts';
import type { LlamaConfig } from '../architectures/llama/config.ts';
import { inverseFrequencies, ropeTables, type RopeTables } from '../architectures/llama/rope.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { unlike, type Matcher } from './fuseMatch.ts';
import { isFloatTensor, readFloats } from './linear.ts';

/** Frequencies of a graph may be rounded to 16 bits. */
const TOLERANCE = 2e-3;

/**
 * The angles' cosines and sines, [positions, headDim / 2]: the tables a graph looks up, or computed
 * from its config.json where the graph computes them itself, if its frequencies are those.
 */
export function foundTables(
  match: Matcher,
  { cos, sin }: { cos: string; sin: string },
  config: LlamaConfig,
): RopeTables {
  const [cosTable, sinTable] = [cos, sin].map((value) => constantBehind(match, value));
  const pairs = config.headDim / 2;
  if (isTable(cosTable) && isTable(sinTable)) {
    return { cos: halfOf(cosTable, pairs), sin: halfOf(sinTable, pairs) };
  }
  const frequencies = readFloats(cosTable);
  const expected = inverseFrequencies(config.rope, config.headDim);
  if (
    frequencies.length !== pairs ||
    frequencies.some((value, pair) => Math.abs(value - expected[pair]) > TOLERANCE * expected[pair])
  ) {
    throw new LatheError(
      'config_invalid',
      `rotary embedding of config.json is not that of the graph: ${cosTable.name}`,
      { tensor: cosTable.name },
    );
  }
  return ropeTables(config.rope, config.headDim, config.contextLength);
}

const isTable = ({ dims }: Tensor): boolean => dims.length === 2 && dims[0] > 1 && dims[1] > 1;

/** Operators whose inputs are all numbers; other inputs say where to look or which shape to give. */
const computing = ['Mul', 'MatMul', 'Einsum', 'Concat'];

/** The one constant of several elements that a value of angles depends on. */
function constantBehind(match: Matcher, value: string): Tensor {
  const found = new Map<string, Tensor>();
  const seen = new Set<string>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === '' || seen.has(name)) continue;
    seen.add(name);
    const tensor = match.constant(name);
    if (tensor !== null) {
      if (isFloatTensor(tensor) && elementCount(tensor.dims) > 1) found.set(tensor.name, tensor);
      continue;
    }
    const node = match.graph.producer(name);
    const factors = node?.opType === 'Mul' ? node.inputs.map((input) => match.scalar(input)) : [];
    if (factors.some((factor) => factor !== null && factor !== 1)) {
      throw unlike('rotary embedding with a factor', name, node);
    }
    if (node === undefined) continue;
    waiting.push(...(computing.includes(node.opType) ? node.inputs : node.inputs.slice(0, 1)));
  }
  const [first, ...more] = found.values();
  if (first === undefined || more.length > 0) {
    throw unlike('angles of rotary embedding cannot be told', value);
  }
  return first;
}

/** A table whose columns may be written twice, once for each half of the head. */
function halfOf(table: Tensor, pairs: number): Float32Array {
  const [positions, columns] = table.dims;
  const values = readFloats(table);
  if (columns === pairs) return values;
  if (columns !== 2 * pairs) throw unlike('rotary embedding of a part of the head', table.name);
  const result = new Float32Array(positions * pairs);
  for (let row = 0; row < positions; row++) {
    result.set(values.subarray(row * columns, row * columns + pairs), row * pairs);
  }
  return result;
}
