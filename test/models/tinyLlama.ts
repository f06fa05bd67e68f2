import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBfloat16Bits, toFloat16Bits } from '../../main/numeric/float16.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { byteTokenizer } from './byteTokenizer.ts';
import { safetensors, type StoredTensor } from './safetensors.ts';

/** What a tiny model may differ in; everything else is fixed. */
export interface TinyLlamaOptions {
  hiddenSize?: number;
  intermediateSize?: number;
  layers?: number;
  heads?: number;
  keyValueHeads?: number;
  /** Left out of config.json where it is not given. */
  headDim?: number;
  vocabularySize?: number;
  contextLength?: number;
  tied?: boolean;
  attentionBias?: boolean;
  mlpBias?: boolean;
  dtype?: 'F32' | 'F16' | 'BF16';
  /** Put into config.json as they are. */
  fields?: Record<string, unknown>;
  seed?: number;
}

/** A config.json for these options. */
export function tinyLlamaConfig(options: TinyLlamaOptions = {}): Record<string, unknown> {
  const heads = options.heads ?? 4;
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: options.hiddenSize ?? 64,
    intermediate_size: options.intermediateSize ?? 96,
    num_hidden_layers: options.layers ?? 2,
    num_attention_heads: heads,
    num_key_value_heads: options.keyValueHeads ?? heads,
    ...(options.headDim === undefined ? {} : { head_dim: options.headDim }),
    vocab_size: options.vocabularySize ?? byteTokenizer.vocabularySize,
    max_position_embeddings: options.contextLength ?? 128,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: options.tied ?? false,
    attention_bias: options.attentionBias ?? false,
    mlp_bias: options.mlpBias ?? false,
    bos_token_id: byteTokenizer.beginOfText,
    eos_token_id: byteTokenizer.endOfText,
    ...options.fields,
  };
}

/** Random tensors for a config.json of the family, scaled so that every part moves the logits. */
export function tinyLlamaTensors(
  config: Record<string, unknown>,
  { dtype = 'F32', seed = 1 }: TinyLlamaOptions = {},
): StoredTensor[] {
  const field = (name: string): number => Number(config[name]);
  const random = createRandom(seed);
  const hidden = field('hidden_size');
  const inner = field('intermediate_size');
  const heads = field('num_attention_heads');
  const headDim = Number(config['head_dim'] ?? hidden / heads);
  const queries = heads * headDim;
  const keys = Number(config['num_key_value_heads'] ?? heads) * headDim;
  const tensors: StoredTensor[] = [];
  const add = (name: string, shape: number[], middle: number, spread: number): void => {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length }, () => middle + (random.next() - 0.5) * 2 * spread);
    tensors.push({ name, dtype, shape, bytes: encode(values, dtype) });
  };
  const linear = (name: string, rows: number, columns: number, bias: boolean): void => {
    add(`${name}.weight`, [rows, columns], 0, Math.sqrt(3 / columns));
    if (bias) add(`${name}.bias`, [rows], 0, 0.5);
  };
  add('model.embed_tokens.weight', [field('vocab_size'), hidden], 0, 1);
  for (let layer = 0; layer < field('num_hidden_layers'); layer++) {
    const prefix = `model.layers.${layer}`;
    const outputBias = config['attention_bias'] === true;
    const attentionBias = outputBias || config['model_type'] === 'qwen2';
    const mlpBias = config['mlp_bias'] === true;
    add(`${prefix}.input_layernorm.weight`, [hidden], 1, 0.5);
    linear(`${prefix}.self_attn.q_proj`, queries, hidden, attentionBias);
    linear(`${prefix}.self_attn.k_proj`, keys, hidden, attentionBias);
    linear(`${prefix}.self_attn.v_proj`, keys, hidden, attentionBias);
    linear(`${prefix}.self_attn.o_proj`, hidden, queries, outputBias);
    add(`${prefix}.post_attention_layernorm.weight`, [hidden], 1, 0.5);
    linear(`${prefix}.mlp.gate_proj`, inner, hidden, mlpBias);
    linear(`${prefix}.mlp.up_proj`, inner, hidden, mlpBias);
    linear(`${prefix}.mlp.down_proj`, hidden, inner, mlpBias);
  }
  add('model.norm.weight', [hidden], 1, 0.5);
  if (config['tie_word_embeddings'] !== true) linear('lm_head', field('vocab_size'), hidden, false);
  return tensors;
}

/**
 * Writes a random Llama model in Hugging Face layout: config.json, model.safetensors and a
 * tokenizer with one token per byte. Gives the config.
 */
export function writeTinyLlama(
  folder: string,
  options: TinyLlamaOptions = {},
): Record<string, unknown> {
  const config = tinyLlamaConfig(options);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  writeFileSync(join(folder, 'model.safetensors'), safetensors(tinyLlamaTensors(config, options)));
  for (const [name, content] of Object.entries(byteTokenizer.files)) {
    writeFileSync(join(folder, name), JSON.stringify(content));
  }
  return config;
}

function encode(values: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  const toBits = dtype === 'F16' ? toFloat16Bits : toBfloat16Bits;
  return new Uint8Array(Uint16Array.from(values, toBits).buffer);
}
