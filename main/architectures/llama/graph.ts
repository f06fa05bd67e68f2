import type { GraphForm } from '../../../preload/contract/models.ts';
import type { NamedTensors } from '../../formats/namedTensors.ts';
import { int } from '../../onnx/attributes.ts';
import { GraphBuilder } from '../../onnx/build.ts';
import type { Model } from '../../onnx/model.ts';
import { tensorOf } from '../../onnx/tensor.ts';
import { Constants, toFloat32Attribute } from '../constants.ts';
import { checkTensors, stack } from '../tensors.ts';
import type { LlamaConfig } from './config.ts';
import { pastName, presentName, type Form, type Stream, type Writing } from './form.ts';
import { FusedForm } from './fused.ts';
import { PlainForm } from './plain.ts';
import { ropeTables } from './rope.ts';
import { EMBEDDING, FINAL_NORM, inLayer, requiredTensors } from './tensors.ts';

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
export function buildLlama(config: LlamaConfig, tensors: NamedTensors, kind: GraphForm): Model {
  const weights = checkTensors(tensors, requiredTensors(config));
  const msOpset = kind === 'fused';
  const graph = new GraphBuilder({ name: 'llama', opset: OPSET, msOpset });
  const writing = { graph, config, weights, constants: new Constants(graph) };
  const form: Form = kind === 'fused' ? new FusedForm(writing) : new PlainForm(writing);
  declareInputs(writing, form);
  addRopeTables(writing, form);
  form.inputs();
  const normalized = writeBlocks(writing, form);
  const [wanted] = graph.node('Gather', [normalized, 'logits_index'], {
    attributes: { axis: int(1) },
  });
  form.logits(wanted, 'logits');
  declareOutputs(writing, form);
  return graph.finish();
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
function embed({ graph, config, weights, constants }: Writing): string {
  const { vocabularySize, hiddenSize } = config;
  const table = constants.keep(EMBEDDING, () =>
    stack(EMBEDDING, [{ weight: weights(EMBEDDING) }], [vocabularySize, hiddenSize]),
  );
  const gather = [table.name, 'input_ids'];
  if (table.dataType === 'float32') return graph.node('Gather', gather, { outputs: ['embed'] })[0];
  const rows = graph.node('Gather', gather);
  return graph.node('Cast', rows, { outputs: ['embed'], attributes: toFloat32Attribute })[0];
}

function addRopeTables({ graph, config }: Writing, form: Form): void {
  const { contextLength, headDim, rope } = config;
  const pairs = form.cacheHeadDim / 2;
  const { cos, sin } = ropeTables(rope, headDim, contextLength, pairs);
  graph.initializer(tensorOf('rope.cos', [contextLength, pairs], cos));
  graph.initializer(tensorOf('rope.sin', [contextLength, pairs], sin));
}

function declareInputs({ graph, config }: Writing, form: Form): void {
  graph.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  graph.input('logits_index', 'int64', ['logits_count']);
  for (const [layer, what] of cacheParts(config)) {
    const past = cacheShape(config, form, 'past_sequence_length');
    graph.input(pastName(layer, what), 'float32', past);
  }
}

function declareOutputs({ graph, config }: Writing, form: Form): void {
  form.firstOutputs();
  graph.output('logits', 'float32', ['batch_size', 'logits_count', config.vocabularySize]);
  for (const [layer, what] of cacheParts(config)) {
    const present = cacheShape(config, form, 'total_sequence_length');
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
