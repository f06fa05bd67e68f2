import { LatheError } from '../../preload/contract/errors.ts';
import type { DataType } from './dataTypes.ts';
import type {
  Attribute,
  AttributeValue,
  Dimension,
  Model,
  Node,
  ValueInfo,
  ValueType,
} from './model.ts';
import { tensorOf, type Tensor } from './tensor.ts';

/** IR version 10 (ONNX 1.16) is the first that every feature of our graphs is part of. */
const DEFAULT_IR_VERSION = 10;

interface NodeOptions {
  /** Names of the outputs, or how many to name automatically; one by default. */
  outputs?: readonly string[] | number;
  attributes?: Readonly<Record<string, AttributeValue>>;
  domain?: string;
  name?: string;
}

/** Writes a graph node by node, in the order it is to run; names are checked as they are given. */
export class GraphBuilder {
  private readonly options;
  private readonly nodes: Node[] = [];
  private readonly initializers = new Map<string, Tensor>();
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly names = new Set<string>();

  constructor(options: { name: string; opset: number; irVersion?: number; msOpset?: boolean }) {
    this.options = options;
  }

  /** Declares an input of the graph; gives its name back. */
  input(name: string, dataType: DataType, shape: readonly Dimension[]): string {
    this.inputs.push({ name: this.claim(name), type: { kind: 'tensor', dataType, shape } });
    return name;
  }

  /** Declares a value as output of the graph. */
  output(name: string, dataType: DataType, shape: readonly Dimension[]): string {
    return this.addOutput(name, { kind: 'tensor', dataType, shape });
  }

  /** Declares a sequence of tensors of any shape as output of the graph. */
  sequenceOutput(name: string, dataType: DataType): string {
    const element: ValueType = { kind: 'tensor', dataType, shape: null };
    return this.addOutput(name, { kind: 'sequence', element });
  }

  /** Adds a constant. The same tensor may be added again, another one of its name may not. */
  initializer(tensor: Tensor): string {
    if (this.initializers.get(tensor.name) !== tensor) {
      this.initializers.set(this.claim(tensor.name), tensor);
    }
    return tensor.name;
  }

  /** A list of int64, stored once for all its users. */
  i64(values: readonly number[]): string {
    return this.constant(`i64[${values.join(',')}]`, [values.length], () => toInt64(values));
  }

  /** An int64 scalar, stored once for all its users. */
  i64Scalar(value: number): string {
    return this.constant(`i64(${value})`, [], () => toInt64([value]));
  }

  /** A float32 scalar, stored once for all its users. */
  f32Scalar(value: number): string {
    const rounded = Math.fround(value);
    const label = Object.is(rounded, -0) ? '-0' : rounded;
    return this.constant(`f32(${label})`, [], () => Float32Array.of(rounded));
  }

  /** Adds a node; gives the names of its outputs. */
  node(opType: string, inputs: readonly string[], options: NodeOptions = {}): string[] {
    const name = options.name ?? `${opType}_${this.nodes.length}`;
    const wanted = options.outputs ?? 1;
    const outputs =
      typeof wanted === 'number'
        ? Array.from({ length: wanted }, (_, index) => (wanted === 1 ? name : `${name}:${index}`))
        : [...wanted];
    for (const input of inputs) {
      if (input !== '' && !this.names.has(input)) {
        throw new LatheError('graph_invalid', `${name} uses a value that nothing gives: ${input}`, {
          node: name,
          value: input,
        });
      }
    }
    for (const output of outputs) {
      if (output !== '') this.claim(output);
    }
    const attributes = new Map(
      Object.entries(options.attributes ?? {}).map(([key, value]): [string, Attribute] => [
        key,
        { ...value, name: key },
      ]),
    );
    const domain = options.domain ?? '';
    this.nodes.push({ name, opType, domain, overload: '', inputs, outputs, attributes });
    return outputs;
  }

  /** The finished model; the builder may not be used any more. */
  finish(): Model {
    const { name, opset, irVersion = DEFAULT_IR_VERSION, msOpset = false } = this.options;
    return {
      irVersion,
      opsets: new Map([['', opset], ...(msOpset ? [['com.microsoft', 1] as const] : [])]),
      producerName: 'lathe',
      producerVersion: '',
      graph: {
        name,
        nodes: this.nodes,
        initializers: this.initializers,
        sparseInitializers: [],
        inputs: this.inputs,
        outputs: this.outputs,
        valueInfo: [],
      },
      functions: [],
      training: [],
    };
  }

  private addOutput(name: string, type: ValueType): string {
    if (!this.names.has(name)) {
      throw new LatheError('graph_invalid', `an output of the graph that nothing gives: ${name}`, {
        value: name,
      });
    }
    this.outputs.push({ name, type });
    return name;
  }

  private constant(
    name: string,
    dims: readonly number[],
    elements: () => BigInt64Array | Float32Array,
  ): string {
    return this.initializers.has(name) ? name : this.initializer(tensorOf(name, dims, elements()));
  }

  private claim(name: string): string {
    if (this.names.has(name)) {
      throw new LatheError('graph_invalid', `two values have one name: ${name}`, { value: name });
    }
    this.names.add(name);
    return name;
  }
}

const toInt64 = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
