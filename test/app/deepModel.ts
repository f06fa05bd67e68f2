import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../main/numeric/random.ts';

const embedded = join(import.meta.dirname, '../../resources/models/tiny-stories');

const vocabulary = 2048;
const hidden = 64;
const headSize = 16;
const inner = 128;

/**
 * Writes a llama of random weights that is small on disk but slow for its size, because it is
 * deep: its tokens come one by one at a pace that can be watched, and it never ends by itself.
 */
export function writeDeepModel(folder: string, layers: number, heads = 4): void {
  mkdirSync(folder, { recursive: true });
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads / 2,
    head_dim: headSize,
    vocab_size: vocabulary,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    torch_dtype: 'float32',
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  cpSync(join(embedded, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'model.safetensors'), safetensors(shapes(layers, heads)));
}

function shapes(layers: number, heads: number): [name: string, shape: number[]][] {
  const layer = (index: number): [string, number[]][] => {
    const at = (name: string): string => `model.layers.${index}.${name}.weight`;
    return [
      [at('input_layernorm'), [hidden]],
      [at('self_attn.q_proj'), [heads * headSize, hidden]],
      [at('self_attn.k_proj'), [(heads / 2) * headSize, hidden]],
      [at('self_attn.v_proj'), [(heads / 2) * headSize, hidden]],
      [at('self_attn.o_proj'), [hidden, heads * headSize]],
      [at('post_attention_layernorm'), [hidden]],
      [at('mlp.gate_proj'), [inner, hidden]],
      [at('mlp.up_proj'), [inner, hidden]],
      [at('mlp.down_proj'), [hidden, inner]],
    ];
  };
  return [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    ['model.norm.weight', [hidden]],
  ];
}

/** One file with every tensor in float32, drawn from a fixed seed. */
function safetensors(tensors: [string, number[]][]): Buffer {
  const random = createRandom(1);
  let offset = 0;
  const header: Record<string, unknown> = {};
  const parts = tensors.map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, () =>
      shape.length === 1 ? 1 : (random.next() - 0.5) / 4,
    );
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
    return Buffer.from(values.buffer);
  });
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, ...parts]);
}
