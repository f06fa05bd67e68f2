import type { Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { intOf, floatOf, type Matcher, unlike } from './fuseMatch.ts';
import { between } from './graphIndex.ts';

/** A linear layer found in a foreign graph. */
export interface FoundLinear {
  /** The value it reads, past changes of shape. */
  readonly input: string;
  /** The value it reads, [batch, tokens, columns] as its first operator takes it. */
  readonly operand: string;
  /** The value it gives, as it was found. */
  readonly output: string;
  readonly rows: number;
  readonly columns: number;
  /** Its matrix, where that holds floats; else the layer is kept as it is. */
  readonly weight: { readonly tensor: Tensor; readonly layout: 'NK' | 'KN' } | null;
  readonly bias: Tensor | null;
  /** All nodes between `operand` and `output`. */
  readonly nodes: readonly Node[];
}

/** The linear layer that gives a value, or null. Changes of shape around it are passed over. */
export function matchLinear(match: Matcher, value: string): FoundLinear | null {
  const output = match.flat(value);
  const add = match.op(output, 'Add');
  if (add !== null) {
    for (const [product, constant] of match.pairs(add)) {
      const bias = match.constant(constant);
      const linear = bias === null ? null : matchProduct(match, match.flat(product));
      if (bias === null || linear === null || linear.bias !== null) continue;
      if (bias.dims.length !== 1 || bias.dims[0] !== linear.rows) continue;
      return complete(match, { ...linear, bias }, output);
    }
    return null;
  }
  const linear = matchProduct(match, output);
  return linear === null ? null : complete(match, linear, output);
}

/** As `matchLinear`, but refuses anything else. */
export function requireLinear(match: Matcher, value: string, what: string): FoundLinear {
  const linear = matchLinear(match, value);
  if (linear === null) {
    throw unlike(`${what} is no linear layer`, value, match.graph.producer(match.flat(value)));
  }
  return linear;
}

type Product = Omit<FoundLinear, 'output' | 'nodes'>;

function matchProduct(match: Matcher, value: string): Product | null {
  const node = match.graph.producer(value);
  if (node === undefined) return null;
  const [a, b, c = ''] = node.inputs;
  switch (node.opType) {
    case 'MatMul':
      return matchMatrix(match, a, b, false);
    case 'FusedMatMul': {
      const scaled = floatOf(node, 'alpha', 1) !== 1 || intOf(node, 'transA', 0) !== 0;
      return scaled ? null : matchMatrix(match, a, b, intOf(node, 'transB', 0) === 1);
    }
    case 'Gemm': {
      const scaled = floatOf(node, 'alpha', 1) !== 1 || intOf(node, 'transA', 0) !== 0;
      const linear = scaled ? null : matchMatrix(match, a, b, intOf(node, 'transB', 0) === 1);
      if (linear === null) return null;
      const bias = c === '' ? null : match.constant(c);
      if (c !== '' && (bias === null || floatOf(node, 'beta', 1) !== 1)) return null;
      return { ...linear, bias };
    }
    case 'MatMulNBits':
      return {
        input: match.flat(a),
        operand: a,
        rows: intOf(node, 'N', 0),
        columns: intOf(node, 'K', 0),
        weight: null,
        bias: null,
      };
    case 'Mul':
      return matchDynamic(match, node);
    default:
      return null;
  }
}

function matchMatrix(match: Matcher, a: string, b: string, transB: boolean): Product | null {
  const input = match.flat(a);
  const matrix = match.matrix(b);
  if (matrix !== null) {
    const { tensor } = matrix;
    const layout = transB === matrix.transposed ? 'KN' : 'NK';
    const [rows, columns] = layout === 'NK' ? tensor.dims : tensor.dims.toReversed();
    return { input, operand: a, rows, columns, weight: { tensor, layout }, bias: null };
  }
  const stored = match.op(b, 'DequantizeLinear');
  const codes = stored === null ? null : match.constant(stored.inputs[0]);
  if (codes?.dims.length !== 2) return null;
  const [rows, columns] = transB ? codes.dims : codes.dims.toReversed();
  return { input, operand: a, rows, columns, weight: null, bias: null };
}

/** DynamicQuantizeLinear → MatMulInteger → Cast → Mul by both scales. */
function matchDynamic(match: Matcher, { inputs }: Node): Product | null {
  const product = inputs
    .map((input) => match.op(input, 'MatMulInteger'))
    .find((one) => one !== null);
  if (product === null || product === undefined) return null;
  const quantize = match.op(product.inputs[0], 'DynamicQuantizeLinear');
  const codes = match.constant(product.inputs[1]);
  if (quantize === null || codes?.dims.length !== 2) return null;
  const [columns, rows] = codes.dims;
  const [operand] = quantize.inputs;
  return { input: match.flat(operand), operand, rows, columns, weight: null, bias: null };
}

function complete(match: Matcher, linear: Product, output: string): FoundLinear {
  return { ...linear, output, nodes: between(match.graph, output, linear.operand) };
}
