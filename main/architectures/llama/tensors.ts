import type { RequiredTensor } from '../architecture.ts';
import { blockConfig, type LlamaConfig } from './config.ts';

/** Names that transformers gives to a block's matrices: [rows out, columns in]. */
export const matrixNames = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
] as const;

/** One of them. */
export type MatrixName = (typeof matrixNames)[number];

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly bias: boolean;
}

/** The matrices of one block, y = W x + b. */
export function matrices(config: LlamaConfig): Record<MatrixName, Matrix> {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headDim } = config;
  const queries = heads * headDim;
  const keys = keyValueHeads * headDim;
  const { attentionBias, outputBias, mlpBias } = config;
  return {
    'self_attn.q_proj': { rows: queries, columns: hiddenSize, bias: attentionBias },
    'self_attn.k_proj': { rows: keys, columns: hiddenSize, bias: attentionBias },
    'self_attn.v_proj': { rows: keys, columns: hiddenSize, bias: attentionBias },
    'self_attn.o_proj': { rows: hiddenSize, columns: queries, bias: outputBias },
    'mlp.gate_proj': { rows: intermediateSize, columns: hiddenSize, bias: mlpBias },
    'mlp.up_proj': { rows: intermediateSize, columns: hiddenSize, bias: mlpBias },
    'mlp.down_proj': { rows: hiddenSize, columns: intermediateSize, bias: mlpBias },
  };
}

/** `model.layers.3.` and what follows. */
export const inLayer = (layer: number, name: string): string => `model.layers.${layer}.${name}`;

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';

/** The output matrix; tied models use the embedding's, whatever else their files hold. */
export const headName = (config: LlamaConfig): string =>
  config.tiedEmbeddings ? EMBEDDING : 'lm_head.weight';

/** Every tensor of a LlamaForCausalLM checkpoint that its numbers depend on. */
export function requiredTensors(config: LlamaConfig): RequiredTensor[] {
  const { hiddenSize, vocabularySize, tiedEmbeddings } = config;
  const blocks = Array.from({ length: config.layers }, (_, layer) =>
    [
      ...Object.entries(matrices(blockConfig(config, layer))).flatMap(
        ([name, { rows, columns, bias }]) => [
          { name: `${name}.weight`, shape: [rows, columns] },
          ...(bias ? [{ name: `${name}.bias`, shape: [rows] }] : []),
        ],
      ),
      { name: 'input_layernorm.weight', shape: [hiddenSize] },
      { name: 'post_attention_layernorm.weight', shape: [hiddenSize] },
    ].map(({ name, shape }) => ({ name: inLayer(layer, name), shape })),
  );
  const matrix = [vocabularySize, hiddenSize];
  return [
    { name: EMBEDDING, shape: matrix },
    ...blocks.flat(),
    { name: FINAL_NORM, shape: [hiddenSize] },
    ...(tiedEmbeddings ? [] : [{ name: headName(config), shape: matrix }]),
  ];
}
