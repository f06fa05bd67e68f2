import type { GraphBuilder } from '../../onnx/build.ts';
import type { Constants } from '../constants.ts';
import type { Weights } from '../tensors.ts';
import type { LlamaConfig } from './config.ts';
import type { RopeTables } from './rope.ts';
import type { MatrixName } from './tensors.ts';

/** Matrices that the fused form has as one. */
export type PackedName = 'self_attn.qkv_proj' | 'mlp.gate_up_proj';

/** Writes what was found elsewhere: from one value to another, named `output` where that is given. */
export type WriteValue = (graph: GraphBuilder, input: string, output?: string) => string;

/** Parts that are not made of the weights: they were read from a graph and are written as found. */
export interface Given {
  /** Linear layers of block `layer` (bias included) that are stored in another form than floats. */
  linear?(layer: number, name: MatrixName | PackedName): WriteValue | undefined;
  readonly head?: WriteValue;
  /** From `input_ids` to the rows of the embedding. */
  readonly embedding?: WriteValue;
  /** Angles as they were found, [contextLength, headDim / 2]. */
  readonly rope?: RopeTables;
}

/** What a graph is written from, and into. */
export interface Writing {
  readonly given: Given;
  readonly graph: GraphBuilder;
  readonly config: LlamaConfig;
  readonly weights: Weights;
  readonly constants: Constants;
}

/** The residual stream and what is still to be added to it; a block's output joins at the next norm. */
export interface Stream {
  readonly value: string;
  readonly update: string | null;
}

/**
 * What the two forms of a graph write differently. Arguments and results are names of values of
 * shape [batch, sequence, …].
 */
export interface Form {
  /** Declares the inputs that only this form takes. */
  inputs(): void;
  /** Adds the update to the stream (the sum is named `sum`) and applies RMSNorm (named `output`). */
  norm(
    stream: Stream,
    names: { weight: string; sum: string; output: string },
  ): { stream: string; output: string };
  /** Gives a value a second name, where the form shows every name. */
  alias(value: string, name: string): void;
  /** Attention of block `layer` over its normalized input, output projection included. */
  attention(input: string, layer: number): string;
  /** The gated MLP of block `layer` over its normalized input. */
  mlp(input: string, layer: number): string;
  /** The output matrix over the last norm. */
  logits(input: string, output: string): string;
  /** Declares the outputs that stand before the common ones. */
  firstOutputs(): void;
  /** Elements of a head in the cache. */
  readonly cacheHeadDim: number;
}

/** Name of the input that holds a layer's cache. */
export const pastName = (layer: number, what: 'key' | 'value'): string =>
  `past_key_values.${layer}.${what}`;

/** Name of the output that holds it with the new tokens. */
export const presentName = (layer: number, what: 'key' | 'value'): string =>
  `present.${layer}.${what}`;
