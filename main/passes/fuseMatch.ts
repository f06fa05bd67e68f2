import { LatheError } from '../../preload/contract/errors.ts';
import { toFloat32 } from '../numeric/floats.ts';
import type { Model, Node } from '../onnx/model.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { GraphIndex } from './graphIndex.ts';
import { isFloatTensor } from './linear.ts';

/** Operators that change how a value is stored or laid out, not what it holds. */
const conversions = ['Cast', 'Identity', 'Dropout'];
const layouts = [...conversions, 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'];

/** Operators between a number and the constants it is computed from. */
const DEEPEST = 32;

/** Looks backwards from values, past operators that change nothing, for what exporters write. */
export class Matcher {
  readonly graph: GraphIndex;
  readonly model: Model;
  private readonly numbers = new Map<string, number | null>();

  constructor(model: Model) {
    this.model = model;
    this.graph = new GraphIndex(model);
  }

  /** The value before conversions of its type. */
  strip(value: string): string {
    let current = value;
    for (;;) {
      const node = this.graph.producer(current);
      if (node === undefined || !conversions.includes(node.opType)) return current;
      [current] = node.inputs;
    }
  }

  /** The value before changes of its type or shape, and exchanges of heads and tokens. */
  flat(value: string): string {
    let current = value;
    for (;;) {
      const node = this.graph.producer(current);
      const exchange = node?.opType === 'Transpose' && intsOf(node, 'perm') === '0,2,1,3';
      if (node === undefined || !(exchange || layouts.includes(node.opType))) return current;
      [current] = node.inputs;
    }
  }

  /** The node that gives a value, past conversions, where it is one of these operators. */
  op(value: string, ...types: readonly string[]): Node | null {
    const node = this.graph.producer(this.strip(value));
    return node !== undefined && types.includes(node.opType) ? node : null;
  }

  /** The constant behind a value, past conversions. */
  constant(value: string): Tensor | null {
    const source = this.strip(value);
    const known = this.model.graph.initializers.get(source);
    if (known !== undefined) return known;
    const node = this.graph.producer(source);
    const attribute = node?.opType === 'Constant' ? node.attributes.get('value') : undefined;
    return attribute?.kind === 'tensor' ? attribute.value : null;
  }

  /** A matrix that is constant, past conversions and one transposition. */
  matrix(value: string): { tensor: Tensor; transposed: boolean } | null {
    const direct = this.constant(value);
    if (direct !== null) {
      return isMatrix(direct) ? { tensor: direct, transposed: false } : null;
    }
    const turned = this.op(value, 'Transpose');
    const tensor = turned === null ? null : this.constant(turned.inputs[0]);
    return tensor !== null && isMatrix(tensor) ? { tensor, transposed: true } : null;
  }

  /**
   * A number that does not depend on what the graph is given: a constant, or computed from
   * constants. `size` stands for a size of the shape of a value, where it depends on one.
   */
  scalar(value: string, size?: number, depth = 0): number | null {
    const key = `${size}:${value}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = depth > DEEPEST ? null : this.evaluate(value, size, depth);
    this.numbers.set(key, number);
    return number;
  }

  private evaluate(value: string, size: number | undefined, depth: number): number | null {
    const tensor = this.constant(value);
    if (tensor !== null) return elementCount(tensor.dims) === 1 ? firstOf(tensor) : null;
    const node = this.graph.producer(this.strip(value));
    if (node === undefined) return null;
    const operand = (at: number): number | null => this.scalar(node.inputs[at], size, depth + 1);
    switch (node.opType) {
      case 'Constant':
        return attributeNumber(node);
      case 'Sqrt':
      case 'Reciprocal': {
        const x = operand(0);
        if (x === null) return null;
        return node.opType === 'Sqrt' ? Math.sqrt(x) : 1 / x;
      }
      case 'Div':
      case 'Mul':
      case 'Pow': {
        const b = operand(1);
        const a = b === null ? null : operand(0);
        if (a === null || b === null) return null;
        if (node.opType === 'Pow') return a ** b;
        return node.opType === 'Div' ? a / b : a * b;
      }
      case 'Gather':
      case 'Slice':
      case 'Squeeze':
      case 'Unsqueeze':
        return this.op(node.inputs[0], 'Shape') === null ? operand(0) : (size ?? null);
      default:
        return null;
    }
  }

  /** Both operands of a sum or product, each way round. */
  pairs({ inputs: [a, b] }: Node): [string, string][] {
    return [
      [a, b],
      [b, a],
    ];
  }

  /** Values that are multiplied by a number: the value, and the number (1 where there is none). */
  unscaled(value: string, size?: number): { value: string; scale: number } {
    let current = value;
    let scale = 1;
    for (;;) {
      const node = this.op(current, 'Mul', 'Div');
      if (node === null) return { value: current, scale };
      const [a, b] = node.inputs;
      const second = this.scalar(b, size);
      const first = second === null && node.opType === 'Mul' ? this.scalar(a, size) : null;
      if (second !== null) scale = node.opType === 'Div' ? scale / second : scale * second;
      else if (first !== null) scale *= first;
      else return { value: current, scale };
      current = second === null ? b : a;
    }
  }
}

/** `graph_invalid` for a graph that is no decoder of the Llama kind, at this value. */
export function unlike(what: string, value: string, node?: Node): LatheError {
  return new LatheError(
    'graph_invalid',
    `the graph is no decoder of the Llama kind: ${what}: ${value}`,
    { value, ...(node === undefined ? {} : { node: node.name }) },
  );
}

/** An attribute that is a whole number, or what holds without it. */
export function intOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? Number(attribute.value) : standard;
}

/** An attribute that is a float, or what holds without it. */
export function floatOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : standard;
}

/** An attribute that is a list of whole numbers, joined by commas. */
export function intsOf(node: Node, name: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value.join() : '';
}

function isMatrix(tensor: Tensor): boolean {
  return tensor.dims.length === 2 && isFloatTensor(tensor);
}

/** The whole numbers of a constant list. */
export function integers({ dataType, bytes }: Tensor): number[] {
  const copy = new Uint8Array(bytes.read()).buffer;
  if (dataType === 'int64') return [...new BigInt64Array(copy)].map(Number);
  return dataType === 'int32' ? [...new Int32Array(copy)] : [];
}

function firstOf(tensor: Tensor): number | null {
  if (isFloatTensor(tensor)) return toFloat32(tensor.dataType, tensor.bytes.read())[0];
  return integers(tensor)[0] ?? null;
}

function attributeNumber(node: Node): number | null {
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'float') return attribute.value;
    if (attribute.kind === 'int') return Number(attribute.value);
  }
  return null;
}
