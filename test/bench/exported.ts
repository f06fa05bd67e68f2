import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { float, int } from '../../main/onnx/attributes.ts';
import type { AttributeValue } from '../../main/onnx/model.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { configS } from './modelS.ts';

const { hidden_size: hidden, head_dim: headDim, num_attention_heads: heads } = configS;
const inner = configS.intermediate_size;

/**
 * Writes model S as users of transformers.js have it: onnx/model.onnx as the optimised exports of
 * Optimum and onnxruntime-genai are (GroupQueryAttention with rotary inside, fused norms, lengths
 * from an attention mask, past and present apart), plus its configuration.
 */
export function writeExported(safetensors: string, folder: string): void {
  const file = join(folder, 'onnx', 'model.onnx');
  if (existsSync(file)) return;
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const special = { bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 };
  const write = (name: string, content: object): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write('config.json', { ...configS, ...special, 'transformers.js_config': {} });
  write('generation_config.json', special);
  write('tokenizer_config.json', {});
  writeFileSync(file, build(safetensors));
}

function build(safetensors: string): Uint8Array {
  const weights = openSafetensors(safetensors);
  const graph = new GraphBuilder({ name: 'S', opset: 17, irVersion: 8, msOpset: true });
  const read = (name: string): Float32Array => {
    const tensor = weights.get(`${name}.weight`);
    if (!tensor) throw new Error(`model S lacks a tensor: ${name}`);
    return new Float32Array(tensor.read().buffer);
  };
  const one = (
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): string => graph.node(opType, inputs, { attributes, domain })[0];
  /** Weights of linear layers side by side, [inputs, outputs]. */
  const matrix = (name: string, parts: string[], inputs: number): string => {
    const columns = parts.map((part) => read(part).length / inputs);
    const width = columns.reduce((a, b) => a + b, 0);
    const joined = new Float32Array(inputs * width);
    let start = 0;
    for (const [at, part] of parts.entries()) {
      const source = read(part);
      for (let column = 0; column < columns[at]; column++)
        for (let row = 0; row < inputs; row++)
          joined[row * width + start + column] = source[column * inputs + row];
      start += columns[at];
    }
    return graph.initializer(tensorOf(name, [inputs, width], joined));
  };

  graph.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
  for (let layer = 0; layer < configS.num_hidden_layers; layer++)
    for (const part of ['key', 'value'])
      graph.input(
        `past_key_values.${layer}.${part}`,
        'float32',
        cacheShape('past_sequence_length'),
      );
  const sum = one('ReduceSum', ['attention_mask', graph.i64([1])], { keepdims: int(0) });
  const last = one('Cast', [one('Sub', [sum, graph.i64([1])])], { to: int(6) });
  const length = one('Gather', [one('Shape', ['attention_mask']), graph.i64Scalar(1)], {
    axis: int(0),
  });
  const total = one('Cast', [length], { to: int(6) });
  const [cos, sin] = rotary().map(([name, table]) =>
    graph.initializer(tensorOf(name, [configS.max_position_embeddings, headDim / 2], table)),
  );

  const embedding = read('model.embed_tokens');
  graph.initializer(tensorOf('embed', [configS.vocab_size, hidden], embedding));
  let residual = one('Gather', ['embed', 'input_ids'], { axis: int(0) });
  let delta: string | undefined;
  const norm = (name: string): string => {
    const scale = graph.initializer(tensorOf(name, [hidden], read(name)));
    const epsilon = float(configS.rms_norm_eps);
    if (delta === undefined)
      return one('SimplifiedLayerNormalization', [residual, scale], {
        axis: int(-1),
        epsilon,
        stash_type: int(1),
      });
    const outputs = [`${name}.out`, '', '', `${name}.residual`];
    graph.node('SkipSimplifiedLayerNormalization', [delta, residual, scale], {
      outputs,
      attributes: { epsilon },
      domain: 'com.microsoft',
    });
    residual = `${name}.residual`;
    return `${name}.out`;
  };
  for (let layer = 0; layer < configS.num_hidden_layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const named = (parts: string[]): string[] => parts.map((part) => `${prefix}.${part}`);
    const projections = named(['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
    const qkv = matrix(`${prefix}.qkv`, projections, hidden);
    const joined = one('MatMul', [norm(`${prefix}.input_layernorm`), qkv]);
    const pasts = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`];
    const presents = [`present.${layer}.key`, `present.${layer}.value`];
    const [attention] = graph.node(
      'GroupQueryAttention',
      [joined, '', '', ...pasts, last, total, cos, sin],
      {
        outputs: [`${prefix}.attention`, ...presents],
        attributes: { num_heads: int(heads), kv_num_heads: int(heads), do_rotary: int(1) },
        domain: 'com.microsoft',
      },
    );
    const out = matrix(`${prefix}.o`, named(['self_attn.o_proj']), hidden);
    delta = one('MatMul', [attention, out]);
    const gateUp = matrix(`${prefix}.gate_up`, named(['mlp.gate_proj', 'mlp.up_proj']), hidden);
    const both = one('MatMul', [norm(`${prefix}.post_attention_layernorm`), gateUp]);
    const [gate, up] = graph.node('Split', [both, graph.i64([inner, inner])], {
      outputs: 2,
      attributes: { axis: int(-1) },
    });
    const active = one('QuickGelu', [gate], { alpha: float(1) }, 'com.microsoft');
    const down = matrix(`${prefix}.down`, named(['mlp.down_proj']), inner);
    delta = one('MatMul', [one('Mul', [active, up]), down]);
  }
  const head = matrix('head', ['lm_head'], hidden);
  graph.node('MatMul', [norm('model.norm'), head], { outputs: ['logits'] });
  graph.output('logits', 'float32', ['batch_size', 'sequence_length', configS.vocab_size]);
  for (let layer = 0; layer < configS.num_hidden_layers; layer++)
    for (const part of ['key', 'value'])
      graph.output(`present.${layer}.${part}`, 'float32', cacheShape('total_sequence_length'));
  const bytes = encodeModel(graph.finish());
  weights.close();
  return bytes;
}

const cacheShape = (length: string): (string | number)[] => ['batch_size', heads, length, headDim];

/** Cosines and sines of all positions, [positions, headDim / 2]. */
function rotary(): [name: string, table: Float32Array][] {
  const half = headDim / 2;
  const angle = (at: number): number =>
    Math.floor(at / half) / configS.rope_theta ** ((2 * (at % half)) / headDim);
  const size = configS.max_position_embeddings * half;
  return [
    ['cos', Float32Array.from({ length: size }, (_, at) => Math.cos(angle(at)))],
    ['sin', Float32Array.from({ length: size }, (_, at) => Math.sin(angle(at)))],
  ];
}
