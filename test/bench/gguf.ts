import { Buffer } from 'node:buffer';
import { existsSync, renameSync } from 'node:fs';
import { createSink } from '../../main/formats/files.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { configS, shapesS } from './modelS.ts';

/** Value types of GGUF's metadata, as used here (github.com/ggml-org/ggml, docs/gguf.md). */
const types = { uint32: 4, float32: 6, bool: 7, string: 8, array: 9 };
const alignment = 32;

/** Writes the weights of model S as an F32 GGUF file for llama.cpp, unless it is there. */
export function writeGguf(safetensors: string, file: string): void {
  if (existsSync(file)) return;
  const weights = openSafetensors(safetensors);
  const infos: Buffer[] = [];
  let offset = 0;
  for (const [name, shape] of shapesS()) {
    // Dimensions stand in reverse: the contiguous one first.
    const dims = shape.toReversed().map(u64);
    infos.push(
      Buffer.concat([text(ggufName(name)), u32(dims.length), ...dims, u32(0), u64(offset)]),
    );
    offset += aligned(4 * shape.reduce((a, b) => a * b, 1));
  }
  const entries = metadata();
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(infos.length),
    u64(entries.length),
    ...entries,
    ...infos,
  ]);
  const sink = createSink(`${file}.part`);
  sink.write(head);
  for (const [name] of shapesS()) {
    sink.write(new Uint8Array(aligned(sink.position) - sink.position));
    const bytes = weights.get(name)?.read();
    if (!bytes) throw new Error(`model S lacks a tensor: ${name}`);
    sink.write(/[qk]_proj/.test(name) ? interleaveHeads(bytes) : bytes);
  }
  sink.close();
  weights.close();
  renameSync(`${file}.part`, file);
}

/**
 * llama.cpp rotates neighbouring pairs, Hugging Face the halves of a head: the rows of the query
 * and key projections change places accordingly.
 */
function interleaveHeads(bytes: Uint8Array): Uint8Array {
  const { head_dim: dim, num_attention_heads: heads, hidden_size: hidden } = configS;
  const row = 4 * hidden;
  const result = new Uint8Array(bytes.length);
  for (let head = 0; head < heads; head++)
    for (let at = 0; at < dim; at++) {
      const from = head * dim + at;
      const to = head * dim + (at < dim / 2 ? 2 * at : 2 * at - dim + 1);
      result.set(bytes.subarray(from * row, (from + 1) * row), to * row);
    }
  return result;
}

const names = new Map([
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['lm_head', 'output'],
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['post_attention_layernorm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
]);

function ggufName(name: string): string {
  const [, layer, part] = /^(?:model\.layers\.(\d+)\.)?(.*)\.weight$/.exec(name) ?? [];
  return `${layer === undefined ? '' : `blk.${layer}.`}${names.get(part)}.weight`;
}

/** Hyperparameters and a vocabulary of byte tokens and fillers, which llama.cpp wants to see. */
function metadata(): Buffer[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
  const special = ['<unk>', '<s>', '</s>'];
  const tokens = [...special, ...bytes];
  while (tokens.length < configS.vocab_size) tokens.push(`t${tokens.length}`);
  const count = (key: string, value: number): Buffer =>
    Buffer.concat([text(key), u32(types.uint32), u32(value)]);
  const real = (key: string, value: number): Buffer =>
    Buffer.concat([text(key), u32(types.float32), f32(value)]);
  const word = (key: string, value: string): Buffer =>
    Buffer.concat([text(key), u32(types.string), text(value)]);
  const list = (key: string, type: number, values: Buffer[]): Buffer =>
    Buffer.concat([text(key), u32(types.array), u32(type), u64(values.length), ...values]);
  return [
    word('general.architecture', 'llama'),
    word('general.name', 'S'),
    count('general.file_type', 0),
    count('llama.context_length', configS.max_position_embeddings),
    count('llama.embedding_length', configS.hidden_size),
    count('llama.block_count', configS.num_hidden_layers),
    count('llama.feed_forward_length', configS.intermediate_size),
    count('llama.attention.head_count', configS.num_attention_heads),
    count('llama.attention.head_count_kv', configS.num_key_value_heads),
    real('llama.attention.layer_norm_rms_epsilon', configS.rms_norm_eps),
    count('llama.rope.dimension_count', configS.head_dim),
    real('llama.rope.freq_base', configS.rope_theta),
    count('llama.vocab_size', configS.vocab_size),
    word('tokenizer.ggml.model', 'llama'),
    list('tokenizer.ggml.tokens', types.string, tokens.map(text)),
    list(
      'tokenizer.ggml.scores',
      types.float32,
      tokens.map((_, id) => f32(-id)),
    ),
    list(
      'tokenizer.ggml.token_type',
      5,
      tokens.map((_, id) => u32(kind(id))),
    ),
    count('tokenizer.ggml.bos_token_id', 1),
    count('tokenizer.ggml.eos_token_id', 2),
    count('tokenizer.ggml.unknown_token_id', 0),
    Buffer.concat([text('tokenizer.ggml.add_bos_token'), u32(types.bool), Buffer.of(0)]),
  ];
}

/** llama.cpp's kind of a token: 2 unknown, 3 control, 6 a byte, 1 text. */
const kind = (id: number): number => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');
const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment;
const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const f32 = (value: number): Buffer => Buffer.from(Float32Array.of(value).buffer);
const text = (value: string): Buffer =>
  Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
