import { int, ints } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { AttributeValue, Node } from '../onnx/model.ts';
import { tensorOf, type Tensor } from '../onnx/tensor.ts';
import { nodeOf } from './edit.ts';

/** The most negative float32: exp of it is 0, and a row of nothing else still has a softmax. */
export const MASKED = -3.4028234663852886e38;

interface Options {
  /** The name of the result; one is made up where none is given. */
  readonly output?: string | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
}

/** Nodes and constants that a pass adds to a graph; made-up names begin with `prefix`. */
export class AddedNodes {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  private readonly prefix: string;
  private count = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** A node of one output; gives the name of that. */
  op(opType: string, inputs: readonly string[], options: Options = {}): string {
    return this.outputs(opType, inputs, 1, options)[0];
  }

  /** A node of several outputs. */
  outputs(opType: string, inputs: readonly string[], count: number, options: Options = {}) {
    const { output, attributes = {}, domain = '' } = options;
    const label = `${this.prefix}/${this.count++}`;
    const names = Array.from({ length: count }, (_, at) =>
      at === 0 && output !== undefined ? output : `${label}:${at}`,
    );
    this.nodes.push(nodeOf(opType, inputs, names, { attributes, domain, name: label }));
    return names;
  }

  i64(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const name = `${this.prefix}/i64[${values.join(',')}]${dims.length === 0 ? '()' : ''}`;
    return this.constant(name, () => tensorOf(name, dims, BigInt64Array.from(values, BigInt)));
  }

  f32(value: number): string {
    const name = `${this.prefix}/f32(${value})`;
    return this.constant(name, () => tensorOf(name, [], Float32Array.of(value)));
  }

  floats(label: string, dims: readonly number[], values: Float32Array): string {
    const name = `${this.prefix}/${label}`;
    return this.constant(name, () => tensorOf(name, dims, values));
  }

  /** The value as float32, which most are already. */
  float(value: string, output?: string): string {
    return this.op('Cast', [value], { output, attributes: { to: int(dataTypes.float32.code) } });
  }

  reshape(value: string, shape: readonly number[], output?: string): string {
    return this.op('Reshape', [value, this.i64(shape)], { output });
  }

  transpose(value: string, order: readonly number[]): string {
    return this.op('Transpose', [value], { attributes: { perm: ints(order) } });
  }

  /** The size of one dimension, an int64 scalar. */
  sizeOf(value: string, axis: number): string {
    const shape = this.op('Shape', [value]);
    return this.op('Gather', [shape, this.i64([axis], [])]);
  }

  /** The first sizes of the shape, int64 [count]. */
  leading(value: string, count: number): string {
    const shape = this.op('Shape', [value]);
    return this.op('Slice', [shape, this.i64([0]), this.i64([count])]);
  }

  /** `[from, to)` as int64; both are scalars. */
  range(from: string, to: string): string {
    return this.op('Range', [from, to, this.i64([1], [])]);
  }

  softmax(scores: string, output?: string): string {
    return this.op('Softmax', [scores], { output, attributes: { axis: int(-1) } });
  }

  private constant(name: string, make: () => Tensor): string {
    if (!this.constants.has(name)) this.constants.set(name, make());
    return name;
  }
}
