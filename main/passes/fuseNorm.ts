import { elementCount, type Tensor } from '../onnx/tensor.ts';
import type { Node } from '../onnx/model.ts';
import { floatOf, integers, intsOf, unlike, type Matcher } from './fuseMatch.ts';
import { isFloatTensor } from './linear.ts';

/** RMSNorm found in a foreign graph. */
export interface FoundNorm {
  /** What it is applied to: one value, or two that it adds. */
  readonly stream: string | readonly [string, string];
  readonly weight: Tensor;
  readonly epsilon: number;
}

/** The RMSNorm that gives a value; `graph_invalid` for any other norm. */
export function requireNorm(match: Matcher, value: string): FoundNorm {
  const found = matchOperator(match, value) ?? matchPrimitives(match, value);
  if (found === null) throw unlike('no RMSNorm gives this value', value);
  return found;
}

function matchOperator(match: Matcher, value: string): FoundNorm | null {
  const single = match.op(value, 'SimplifiedLayerNormalization', 'RMSNormalization');
  if (single !== null) {
    const weight = match.constant(single.inputs[1]);
    if (weight === null) return null;
    const epsilon = floatOf(single, 'epsilon', 1e-5);
    return { stream: single.inputs[0], weight, epsilon };
  }
  const adding = match.op(value, 'SkipSimplifiedLayerNormalization');
  if (adding === null) return null;
  const [a, b, gamma, bias = ''] = adding.inputs;
  const weight = match.constant(gamma);
  if (weight === null || bias !== '') return null;
  return { stream: [a, b], weight, epsilon: floatOf(adding, 'epsilon', 1e-5) };
}

/** w · (x / √(mean(x²) + ε)), the division written in any of the usual ways. */
function matchPrimitives(match: Matcher, value: string): FoundNorm | null {
  const outer = match.op(value, 'Mul');
  if (outer === null) return null;
  for (const [vector, normalized] of match.pairs(outer)) {
    const weight = match.constant(vector);
    if (weight === null || !isFloatTensor(weight) || elementCount(weight.dims) < 2) continue;
    const divided = match.op(normalized, 'Div');
    if (divided !== null) {
      const epsilon = matchRoot(match, divided.inputs[1], divided.inputs[0]);
      if (epsilon !== null) return { stream: divided.inputs[0], weight, epsilon };
    }
    const multiplied = match.op(normalized, 'Mul');
    if (multiplied === null) continue;
    for (const [stream, factor] of match.pairs(multiplied)) {
      const epsilon = matchInverseRoot(match, factor, stream);
      if (epsilon !== null) return { stream, weight, epsilon };
    }
  }
  return null;
}

/** ε of 1 / √(mean(x²) + ε). */
function matchInverseRoot(match: Matcher, value: string, x: string): number | null {
  const node = match.op(value, 'Reciprocal', 'Div', 'Pow');
  if (node === null) return null;
  const [a, b] = node.inputs;
  switch (node.opType) {
    case 'Reciprocal':
      return matchRoot(match, a, x);
    case 'Div':
      return match.scalar(a) === 1 ? matchRoot(match, b, x) : null;
    default:
      return match.scalar(b) === -0.5 ? matchMean(match, a, x) : null;
  }
}

function matchRoot(match: Matcher, value: string, x: string): number | null {
  const node = match.op(value, 'Sqrt', 'Pow');
  if (node === null || (node.opType === 'Pow' && match.scalar(node.inputs[1]) !== 0.5)) return null;
  return matchMean(match, node.inputs[0], x);
}

/** ε of mean(x²) + ε, the mean over the last axis. */
function matchMean(match: Matcher, value: string, x: string): number | null {
  const add = match.op(value, 'Add');
  if (add === null) return null;
  for (const [mean, constant] of match.pairs(add)) {
    const epsilon = match.scalar(constant);
    const reduce = match.op(mean, 'ReduceMean');
    if (epsilon === null || reduce === null || !overLastAxis(match, reduce)) continue;
    const square = match.op(reduce.inputs[0], 'Pow', 'Mul');
    if (square === null) continue;
    const [a, b] = square.inputs;
    const squares =
      square.opType === 'Pow' ? match.scalar(b) === 2 : match.strip(a) === match.strip(b);
    if (squares && match.strip(a) === match.strip(x)) return epsilon;
  }
  return null;
}

/** Axes were an attribute before operator set 18, an input since. */
function overLastAxis(match: Matcher, reduce: Node): boolean {
  const given = reduce.inputs[1] === undefined ? null : match.constant(reduce.inputs[1]);
  const axes = given === null ? intsOf(reduce, 'axes') : integers(given).join();
  return axes === '-1' || axes === '2';
}
