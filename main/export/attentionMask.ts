import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Model, Node, ValueInfo } from '../onnx/model.ts';
import { tensorOf, type Tensor } from '../onnx/tensor.ts';
import { edited, nodeOf } from '../passes/edit.ts';

/** Inputs and outputs that only Lathe's own runner knows. */
const own = new Set(['logits_index', 'seqlens_k', 'total_sequence_length', 'fetch_guard']);

/**
 * The fused form with the ports that Hugging Face's exporters gave decoders: `attention_mask` int64
 * [batch, total] in the place of the lengths, and logits of all positions. Positions follow from the
 * lengths inside GroupQueryAttention, so there are no `position_ids`; its CPU kernel takes rows of
 * one length, or padded at the end.
 */
export function withAttentionMask(model: Model): Model {
  const { graph } = model;
  const guard = graph.nodes.filter(({ outputs }) => outputs.includes('fetch_guard'));
  const chosen = graph.nodes.filter(({ inputs }) => inputs.includes('logits_index'));
  const { nodes, initializers } = lengths();
  const changed = edited(
    model,
    { remove: [...guard, ...chosen] },
    { before: graph.nodes[0], nodes, initializers },
  );
  const all = new Map(chosen.map(({ inputs, outputs }) => [outputs[0], inputs[0]]));
  const mask: ValueInfo = {
    name: 'attention_mask',
    type: { kind: 'tensor', dataType: 'int64', shape: ['batch_size', 'total_sequence_length'] },
  };
  const [ids, ...rest] = graph.inputs.filter(({ name }) => !own.has(name));
  return {
    ...changed,
    graph: {
      ...changed.graph,
      nodes: changed.graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((name) => all.get(name) ?? name),
      })),
      inputs: [ids, mask, ...rest],
      outputs: graph.outputs.filter(({ name }) => !own.has(name)).map(ofAllPositions),
    },
  };
}

/** Tokens so far less one of every row, and tokens so far, as GroupQueryAttention takes them. */
function lengths(): { nodes: Node[]; initializers: Tensor[] } {
  const one = tensorOf('lengths/one', [1], BigInt64Array.of(1n));
  const axis = tensorOf('lengths/axis', [], BigInt64Array.of(1n));
  const toInt32 = { to: int(dataTypes.int32.code) };
  const nodes = [
    nodeOf('ReduceSum', ['attention_mask', one.name], ['lengths/tokens'], {
      attributes: { keepdims: int(0) },
    }),
    nodeOf('Sub', ['lengths/tokens', one.name], ['lengths/last']),
    nodeOf('Cast', ['lengths/last'], ['seqlens_k'], { attributes: toInt32 }),
    nodeOf('Shape', ['attention_mask'], ['lengths/shape']),
    nodeOf('Gather', ['lengths/shape', axis.name], ['lengths/total'], {
      attributes: { axis: int(0) },
    }),
    nodeOf('Cast', ['lengths/total'], ['total_sequence_length'], { attributes: toInt32 }),
  ];
  return { nodes, initializers: [one, axis] };
}

function ofAllPositions(output: ValueInfo): ValueInfo {
  const { name, type } = output;
  if (name !== 'logits' || type?.kind !== 'tensor') return output;
  const [batch = null, , vocabulary = null] = type.shape ?? [];
  return { ...output, type: { ...type, shape: [batch, 'sequence_length', vocabulary] } };
}
