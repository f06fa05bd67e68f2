import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import { createSink } from '../../main/formats/files.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { saveModel } from '../../main/onnx/save.ts';

/** The synthetic model S: the shape of a small Llama with random weights and an untied head. */
export const configS = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
  head_dim: 64,
  intermediate_size: 2048,
  vocab_size: 32_000,
  max_position_embeddings: 4608,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  attention_bias: false,
  mlp_bias: false,
  torch_dtype: 'float32',
  bos_token_id: 1,
  eos_token_id: 2,
};

/** Names and shapes of all weights, as Hugging Face stores them. */
export function shapesS(): [name: string, shape: number[]][] {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = configS;
  const layers = Array.from({ length: configS.num_hidden_layers }, (_, layer) => {
    const prefix = `model.layers.${layer}.`;
    return [
      [`${prefix}input_layernorm.weight`, [hidden]],
      [`${prefix}self_attn.q_proj.weight`, [hidden, hidden]],
      [`${prefix}self_attn.k_proj.weight`, [hidden, hidden]],
      [`${prefix}self_attn.v_proj.weight`, [hidden, hidden]],
      [`${prefix}self_attn.o_proj.weight`, [hidden, hidden]],
      [`${prefix}post_attention_layernorm.weight`, [hidden]],
      [`${prefix}mlp.gate_proj.weight`, [inner, hidden]],
      [`${prefix}mlp.up_proj.weight`, [inner, hidden]],
      [`${prefix}mlp.down_proj.weight`, [hidden, inner]],
    ] satisfies [string, number[]][];
  });
  return [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ...layers.flat(),
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [vocabulary, hidden]],
  ];
}

/** Bytes of weights that decoding one token reads: all matrices but the embedding, of which one row. */
export function streamedBytes(): number {
  return shapesS()
    .filter(([name, shape]) => shape.length === 2 && name !== 'model.embed_tokens.weight')
    .reduce((sum, [, [rows, columns]]) => sum + 4 * rows * columns, 0);
}

/** Writes config.json and model.safetensors into `folder`, unless they are there. */
export function writeModelS(folder: string): void {
  const file = join(folder, 'model.safetensors');
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configS, null, 2));
  const shapes = shapesS();
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, shape] of shapes) {
    const end = offset + 4 * product(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(header);
  const encoded = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const sink = createSink(`${file}.part`);
  sink.write(new Uint8Array(BigUint64Array.of(BigInt(encoded.length)).buffer));
  sink.write(encoded);
  const random = createRandom(1);
  for (const [, shape] of shapes) {
    const weights = new Float32Array(product(shape));
    // Uniform with standard deviation 0.02, as models are initialised; norms are 1.
    const width = 0.02 * Math.sqrt(12);
    if (shape.length === 1) weights.fill(1);
    else for (let at = 0; at < weights.length; at++) weights[at] = (random.next() - 0.5) * width;
    sink.write(new Uint8Array(weights.buffer));
  }
  sink.close();
  renameSync(`${file}.part`, file);
}

/** The file of the fused graph of S in `folder`, written once. */
export function graphOfS(folder: string): string {
  const file = join(folder, 'capture-s.onnx');
  if (existsSync(file)) return file;
  const source = join(folder, 'S');
  writeModelS(source);
  const tensors = openSafetensors(join(source, 'model.safetensors'));
  saveModel(architectureOf(configS, 'config.json').build(tensors, 'fused'), file);
  tensors.close();
  return file;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
