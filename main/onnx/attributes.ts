import type { AttributeValue, Graph } from './model.ts';
import type { Tensor } from './tensor.ts';

const encoder = new TextEncoder();

/** Constructors of attribute values: `{ axis: int(-1), epsilon: float(1e-5) }`. */
export const int = (value: number | bigint): AttributeValue => ({
  kind: 'int',
  value: BigInt(value),
});

/** A list of int64. */
export const ints = (values: readonly (number | bigint)[]): AttributeValue => ({
  kind: 'ints',
  value: values.map(BigInt),
});

/** A float32. */
export const float = (value: number): AttributeValue => ({
  kind: 'float',
  value: Math.fround(value),
});

/** UTF-8 text. */
export const text = (value: string): AttributeValue => ({
  kind: 'string',
  value: encoder.encode(value),
});

/** A tensor, as Constant holds it. */
export const tensorValue = (value: Tensor): AttributeValue => ({ kind: 'tensor', value });

/** A subgraph: a branch or a loop's body. */
export const graphValue = (value: Graph): AttributeValue => ({ kind: 'graph', value });
