import type { GraphForm } from '../../../preload/contract/models.ts';
import type { NamedTensors } from '../../formats/namedTensors.ts';
import { int } from '../../onnx/attributes.ts';
import { GraphBuilder } from '../../onnx/build.ts';
import type { Model } from '../../onnx/model.ts';
import { tensorOf } from '../../onnx/tensor.ts';
import { Constants, toFloat32Attribute } from '../constants.ts';
import type { RequiredTensor } from '../architecture.ts';
import { checkTensors, stack } from '../tensors.ts';
import { blockConfig, type LlamaConfig } from './config.ts';
import {
  pastName,
  presentName,
  type Form,
  type Given,
  type PackedName,
  type Stream,
  type Writing,
} from './form.ts';
import { FusedForm } from './fused.ts';
import { PlainForm } from './plain.ts';
import { padTables, ropeTables } from './rope.ts';
import {
  EMBEDDING,
  FINAL_NORM,
  headName,
  inLayer,
  matrixNames,
  requiredTensors,
  type MatrixName,
} from './tensors.ts';

/** ONNX 1.16, the newest operators that every part of onnxruntime 1.30 fuses. */
const OPSET = 21;

/**
 * A Llama model (Touvron et al. 2023) as a graph. Inputs: `input_ids` int64 [batch, sequence];
 * `logits_index` int64 [n], the positions along the sequence whose logits are wanted; the cache
 * `past_key_values.{layer}.key|value` float32 [batch, kv heads, past, head]. Outputs: `logits`
 * float32 [batch, n, vocabulary] and the cache with the new tokens, `present.{layer}.key|value`.
 * The fused form takes `seqlens_k` int32 [batch] (tokens so far less one) and
 * `total_sequence_length` int32 besides, the plain form `position_ids` int64 [batch, sequence] and
 * `attention_mask` int64 [batch, total].
 */
export function buildLlama(
  config: LlamaConfig,
  tensors: NamedTensors,
  kind: GraphForm,
  given: Given = {},
): Model {
  const weights = checkTensors(tensors, stillRequired(config, given));
  const msOpset = kind === 'fused';
  const graph = new GraphBuilder({ name: 'llama', opset: OPSET, msOpset });
  const writing = { graph, config, weights, given, constants: new Constants(graph) };
  const form: Form = kind === 'fused' ? new FusedForm(writing) : new PlainForm(writing);
  declareInputs(writing, form);
  addRopeTables(writing, form);
  form.inputs();
  const normalized = writeBlocks(writing, form);
  const [wanted] = graph.node('Gather', [normalized, 'logits_index'], {
    attributes: { axis: int(1) },
  });
  if (given.head === undefined) form.logits(wanted, 'logits');
  else given.head(graph, wanted, 'logits');
  declareOutputs(writing, form);
  return graph.finish();
}

/** The tensors that the graph is made of, less those of parts that are given. */
function stillRequired(config: LlamaConfig, given: Given): RequiredTensor[] {
  const packed: Partial<Record<MatrixName, PackedName>> = {
    'self_attn.q_proj': 'self_attn.qkv_proj',
    'self_attn.k_proj': 'self_attn.qkv_proj',
    'self_attn.v_proj': 'self_attn.qkv_proj',
    'mlp.gate_proj': 'mlp.gate_up_proj',
    'mlp.up_proj': 'mlp.gate_up_proj',
  };
  const without = new Set<string>();
  for (let layer = 0; layer < config.layers; layer++) {
    for (const name of matrixNames) {
      const whole = packed[name];
      const found =
        given.linear?.(layer, name) ??
        (whole === undefined ? undefined : given.linear?.(layer, whole));
      if (found === undefined) continue;
      without.add(inLayer(layer, `${name}.weight`)).add(inLayer(layer, `${name}.bias`));
    }
  }
  const { tiedEmbeddings } = config;
  if (given.embedding !== undefined && (given.head !== undefined || !tiedEmbeddings)) {
    without.add(EMBEDDING);
  }
  if (given.head !== undefined && !tiedEmbeddings) without.add(headName(config));
  return requiredTensors(config).filter(({ name }) => !without.has(name));
}

function writeBlocks(writing: Writing, form: Form): string {
  const { layers } = writing.config;
  let stream: Stream = { value: embed(writing), update: null };
  for (let layer = 0; layer < layers; layer++) {
    const hook = (name: string): string => `blocks.${layer}.${name}`;
    const first = form.norm(stream, {
      weight: inLayer(layer, 'input_layernorm.weight'),
      sum: `blocks.${layer - 1}.resid_post`,
      output: hook('ln1'),
    });
    form.alias(first.stream, hook('resid_pre'));
    const attended = form.attention(first.output, layer);
    const second = form.norm(
      { value: first.stream, update: attended },
      {
        weight: inLayer(layer, 'post_attention_layernorm.weight'),
        sum: hook('resid_mid'),
        output: hook('ln2'),
      },
    );
    stream = { value: second.stream, update: form.mlp(second.output, layer) };
  }
  const names = { weight: FINAL_NORM, sum: `blocks.${layers - 1}.resid_post`, output: 'ln_final' };
  return form.norm(stream, names).output;
}

/** The rows of the embedding matrix for every token, named `embed`. */
function embed({ graph, config, weights, constants, given }: Writing): string {
  if (given.embedding !== undefined) return given.embedding(graph, 'input_ids', 'embed');
  const { vocabularySize, hiddenSize } = config;
  const table = constants.keep(EMBEDDING, () =>
    stack(EMBEDDING, [{ weight: weights(EMBEDDING) }], [vocabularySize, hiddenSize]),
  );
  const gather = [table.name, 'input_ids'];
  if (table.dataType === 'float32') return graph.node('Gather', gather, { outputs: ['embed'] })[0];
  const rows = graph.node('Gather', gather);
  return graph.node('Cast', rows, { outputs: ['embed'], attributes: toFloat32Attribute })[0];
}

function addRopeTables({ graph, config, given }: Writing, form: Form): void {
  const { contextLength, headDim, rope } = config;
  const pairs = form.cacheHeadDim / 2;
  const tables = given.rope ?? ropeTables(rope, headDim, contextLength);
  const { cos, sin } = padTables(tables, headDim / 2, pairs);
  graph.initializer(tensorOf('rope.cos', [contextLength, pairs], cos));
  graph.initializer(tensorOf('rope.sin', [contextLength, pairs], sin));
}

function declareInputs({ graph, config }: Writing, form: Form): void {
  graph.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  graph.input('logits_index', 'int64', ['logits_count']);
  for (const [layer, what] of cacheParts(config)) {
    const past = cacheShape(blockConfig(config, layer), form, 'past_sequence_length');
    graph.input(pastName(layer, what), 'float32', past);
  }
}

function declareOutputs({ graph, config }: Writing, form: Form): void {
  form.firstOutputs();
  graph.output('logits', 'float32', ['batch_size', 'logits_count', config.vocabularySize]);
  for (const [layer, what] of cacheParts(config)) {
    const present = cacheShape(blockConfig(config, layer), form, 'total_sequence_length');
    graph.output(presentName(layer, what), 'float32', present);
  }
}

function cacheShape(config: LlamaConfig, form: Form, length: string): (string | number)[] {
  return ['batch_size', config.keyValueHeads, length, form.cacheHeadDim];
}

function cacheParts({ layers }: LlamaConfig): (readonly [number, 'key' | 'value'])[] {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) => [
    [layer, 'key'] as const,
    [layer, 'value'] as const,
  ]);
}
