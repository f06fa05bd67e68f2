import * as z from 'zod';
import { invalidConfig, parseConfig } from '../config.ts';
import { readRope, ropeFields, type Rope } from './rope.ts';

/** Sizes in which the blocks of one model may differ, once it has been pruned. */
export interface BlockSizes {
  /** Neurons of the MLP. */
  readonly intermediateSize: number;
  readonly heads: number;
  /** Fewer than `heads` in grouped-query attention, 1 in multi-query attention. */
  readonly keyValueHeads: number;
}

/** The numbers of a Llama model or a relative, checked and complete; sizes are those of every block. */
export interface LlamaConfig extends BlockSizes {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly rope: Rope;
  /** The output matrix is the embedding matrix. */
  readonly tiedEmbeddings: boolean;
  /** Of queries, keys and values. */
  readonly attentionBias: boolean;
  /** Of the matrix behind the heads. */
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** The sizes of each block, where they are not the same for all. */
  readonly blocks?: readonly BlockSizes[];
  /** What scores are multiplied by, where it is not 1 / √headDim. */
  readonly attentionScale?: number;
}

/** The numbers that hold for one block. */
export function blockConfig(config: LlamaConfig, layer: number): LlamaConfig {
  return config.blocks === undefined ? config : { ...config, ...config.blocks[layer] };
}

/** What scores are multiplied by before the softmax. */
export function attentionScale({ attentionScale: given, headDim }: LlamaConfig): number {
  return given ?? 1 / Math.sqrt(headDim);
}

/**
 * Limits on what a config.json may ask for. Each is several times the largest published model; they
 * keep products of two of them within 2^53 and graphs within what can be built.
 */
const MAX_HIDDEN = 65_536;
const MAX_INTERMEDIATE = 1_048_576;
const MAX_LAYERS = 1024;
const MAX_HEADS = 1024;
const MAX_HEAD_DIM = 1024;
const MAX_VOCABULARY = 2_097_152;
export const MAX_POSITIONS = 16_777_216;

/** Longest context a graph is built for: its tables of angles take 64 MB at a head size of 128. */
const LONGEST_CONTEXT = 131_072;

const size = (most: number) => z.int().min(1).max(most);

/** Fields and defaults of transformers' LlamaConfig; what is not named here does not change the numbers. */
const schema = z.object({
  hidden_size: size(MAX_HIDDEN),
  intermediate_size: size(MAX_INTERMEDIATE),
  num_hidden_layers: size(MAX_LAYERS),
  num_attention_heads: size(MAX_HEADS),
  num_key_value_heads: size(MAX_HEADS).nullish(),
  head_dim: size(MAX_HEAD_DIM).nullish(),
  vocab_size: size(MAX_VOCABULARY),
  max_position_embeddings: size(MAX_POSITIONS).default(2048),
  rms_norm_eps: z.number().positive().max(1).default(1e-6),
  hidden_act: z.string().default('silu'),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  quantization_config: z.unknown().optional(),
  ...ropeFields,
});

/** Checks a config.json of the family; `config_invalid` names file and field. */
export function readLlamaConfig(json: unknown, file: string): LlamaConfig {
  const config = parseConfig(schema, json, file);
  const heads = config.num_attention_heads;
  const keyValueHeads = config.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    const message = `must divide num_attention_heads (${heads})`;
    throw invalidConfig(file, 'num_key_value_heads', message, keyValueHeads);
  }
  if (config.head_dim === undefined || config.head_dim === null) {
    if (config.hidden_size % heads !== 0) {
      const message = `must divide hidden_size (${config.hidden_size}) where head_dim is not given`;
      throw invalidConfig(file, 'num_attention_heads', message, heads);
    }
  }
  const headDim = config.head_dim ?? config.hidden_size / heads;
  if (headDim % 2 !== 0) {
    throw invalidConfig(file, 'head_dim', 'must be even, as rotary embedding turns pairs', headDim);
  }
  if (config.hidden_act !== 'silu') {
    throw invalidConfig(file, 'hidden_act', 'only silu is supported', config.hidden_act);
  }
  if (config.quantization_config !== undefined && config.quantization_config !== null) {
    const message = 'weights that are quantized already are not supported';
    throw invalidConfig(file, 'quantization_config', message, config.quantization_config);
  }
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    keyValueHeads,
    headDim,
    vocabularySize: config.vocab_size,
    contextLength: Math.min(config.max_position_embeddings, LONGEST_CONTEXT),
    normEpsilon: config.rms_norm_eps,
    rope: readRope(config, file),
    tiedEmbeddings: config.tie_word_embeddings,
    attentionBias: config.attention_bias,
    outputBias: config.attention_bias,
    mlpBias: config.mlp_bias,
  };
}
