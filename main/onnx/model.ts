import type { DataType } from './dataTypes.ts';
import type { Kept } from './schema.ts';
import type { SparseTensor, Tensor } from './tensor.ts';

/** A size, a symbol, or null where nothing is known. */
export type Dimension = number | string | null;

/** The type of a value. A shape of null means that not even the rank is known. */
export type ValueType =
  | TensorType
  | {
      readonly kind: 'sequence' | 'optional';
      readonly element: ValueType | null;
      readonly kept?: Kept<'Type'>;
    }
  | {
      readonly kind: 'map';
      readonly key: DataType;
      readonly value: ValueType | null;
      readonly kept?: Kept<'Type'>;
    }
  | { readonly kind: 'opaque' | 'none'; readonly kept?: Kept<'Type'> };

/** The type of a dense or sparse tensor. */
export interface TensorType {
  readonly kind: 'tensor' | 'sparseTensor';
  readonly dataType: DataType;
  readonly shape: readonly Dimension[] | null;
  readonly kept?: Kept<'Type'>;
}

/** A graph's input, output or annotated value. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ValueType | null;
  readonly kept?: Kept<'ValueInfo'>;
}

/** What an attribute holds. `reference` takes the value of the enclosing function's attribute. */
export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: Uint8Array }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'sparseTensor'; readonly value: SparseTensor }
  | { readonly kind: 'type'; readonly value: ValueType }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly kind: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'sparseTensors'; readonly value: readonly SparseTensor[] }
  | { readonly kind: 'types'; readonly value: readonly ValueType[] }
  | { readonly kind: 'reference'; readonly value: string; readonly type: number };

/** A named value of a node. */
export type Attribute = AttributeValue & {
  readonly name: string;
  readonly kept?: Kept<'Attribute'>;
};

/** One operator applied to named values; an empty name stands for an absent optional one. */
export interface Node {
  readonly name: string;
  readonly opType: string;
  /** Empty for the operators of ONNX itself. */
  readonly domain: string;
  /** Chooses among functions of one name. */
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly kept?: Kept<'Node'>;
}

/** Nodes in topological order over named values. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly sparseInitializers: readonly SparseTensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Types of inner values, where the file gives them. */
  readonly valueInfo: readonly ValueInfo[];
  readonly kept?: Kept<'Graph'>;
}

/** A function of the model's own: an operator made of nodes. */
export interface LocalFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes without a default. */
  readonly attributes: readonly string[];
  /** Attributes with a default. */
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly valueInfo: readonly ValueInfo[];
  readonly kept?: Kept<'Function'>;
}

/** How a model is trained; carried along, never run. */
export interface TrainingInfo {
  readonly initialization: Graph | null;
  readonly algorithm: Graph | null;
  readonly kept?: Kept<'TrainingInfo'>;
}

/**
 * An ONNX model as plain data: never changed in place, weights read only when asked for. `kept`
 * holds at every level what Lathe does not look at (documentation, metadata, device placement,
 * fields newer than ONNX 1.22), so that writing loses nothing.
 */
export interface Model {
  readonly irVersion: number;
  /** Domain → version of its operators; the domain of ONNX itself is empty. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: Graph;
  readonly functions: readonly LocalFunction[];
  readonly training: readonly TrainingInfo[];
  readonly kept?: Kept<'Model'>;
}
