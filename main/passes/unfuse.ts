import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Given, PackedName, WriteValue } from '../architectures/llama/form.ts';
import { inLayer, EMBEDDING, FINAL_NORM, type MatrixName } from '../architectures/llama/tensors.ts';
import type { NamedTensor } from '../formats/namedTensors.ts';
import { readDecoder, type Decoder } from './decoder.ts';
import { weightBytes } from './edit.ts';
import { GraphIndex } from './graphIndex.ts';
import { readFloats, type Linear, type LinearPart } from './linear.ts';
import type { Pass, PassInput } from './pass.ts';
import { rebuild, writeRegion, type Parts } from './rebuild.ts';
import { namedTensor, rowsOf, zeros } from './weights.ts';

/**
 * Turns the fused form into plain operators that show every inner value under its hook name. Linear
 * layers that are stored in another form than floats stay as they are; heads keep the size they
 * have in the cache.
 */
export const unfuse: Pass<StepOf<'unfuse'>> = {
  name: 'unfuse',
  check: ({ model }) => void readDecoder(model),
  estimate: ({ model }) => ({ bytes: weightBytes(model), peakBytes: 0, seconds: 0.1 }),
  preview: unfused,
  run: async (input) => ({ ...unfused(input), layers: [], notes: [] }),
};

function unfused({ model, config }: PassInput): PassInput {
  return { model: rebuild(partsOf(readDecoder(model)), 'plain'), config };
}

const partNames: Record<LinearPart['name'], MatrixName | 'lm_head'> = {
  q: 'self_attn.q_proj',
  k: 'self_attn.k_proj',
  v: 'self_attn.v_proj',
  o: 'self_attn.o_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
  head: 'lm_head',
};

/** A decoder in the fused form, taken apart. */
export function partsOf(decoder: Decoder): Parts {
  const { model, blocks, embedding, finalNorm, head, linears, hiddenSize } = decoder;
  const [{ attention }] = blocks;
  const graph = new GraphIndex(model);
  const [cosTable, sinTable] = [7, 8].map((at) => graph.weight(attention.node.inputs[at]));
  if (cosTable === null || sinTable === null) throw new RangeError('checked by readDecoder');
  const [contextLength] = cosTable.dims;
  const biased = (roles: readonly Linear['role'][]): boolean =>
    linears.some(({ role, bias }) => roles.includes(role) && bias !== null);
  const attentionBias = biased(['qkv']);
  const outputBias = biased(['o']);
  const mlpBias = biased(['gateUp', 'down']);
  const bias = { qkv: attentionBias, o: outputBias, gateUp: mlpBias, down: mlpBias, head: false };
  const weights = linears.flatMap((linear) => weightsOf(linear, bias[linear.role]));
  for (const { index, norms } of blocks) {
    const { attention: first, mlp: second } = norms;
    weights.push(
      namedTensor(inLayer(index, 'input_layernorm.weight'), [hiddenSize], first.weight),
      namedTensor(inLayer(index, 'post_attention_layernorm.weight'), [hiddenSize], second.weight),
    );
  }
  weights.push(namedTensor(FINAL_NORM, [hiddenSize], finalNorm.weight));
  if (embedding.weight !== null) {
    weights.push(namedTensor(EMBEDDING, embedding.weight.dims, embedding.weight));
  }
  return {
    config: {
      hiddenSize,
      layers: blocks.length,
      headDim: attention.headDim,
      vocabularySize: decoder.vocabularySize,
      contextLength,
      normEpsilon: finalNorm.epsilon,
      // The tables are given.
      rope: { kind: 'default', theta: 1 },
      tiedEmbeddings: embedding.tied,
      attentionBias,
      outputBias,
      mlpBias,
      attentionScale: attention.scale,
      ...sizesOf(decoder, 0),
      blocks: blocks.map(({ index }) => sizesOf(decoder, index)),
    },
    weights,
    given: {
      ...given(decoder, head),
      rope: { cos: readFloats(cosTable), sin: readFloats(sinTable) },
    },
  };
}

function sizesOf({ blocks }: Decoder, index: number) {
  const { attention, neurons } = blocks[index];
  return {
    heads: attention.heads,
    keyValueHeads: attention.kvHeads,
    intermediateSize: neurons,
  };
}

/** The matrices that a layer is made of, by the names of transformers. */
function weightsOf(linear: Linear, biased: boolean): NamedTensor[] {
  const { weight, bias, block, parts } = linear;
  if (weight === null || linear.shared) return [];
  return parts.flatMap(({ name, from, to }) => {
    const full = block === null ? partNames[name] : inLayer(block, partNames[name]);
    const matrix = rowsOf(`${full}.weight`, weight, from, to);
    if (!biased || block === null) return [matrix];
    const vector = `${full}.bias`;
    return [matrix, bias === null ? zeros(vector, to - from) : rowsOf(vector, bias, from, to)];
  });
}

/** What is stored in another form, to be written as it is. */
function given({ model, linears, embedding }: Decoder, head: Linear): Given {
  const kept = new Map<string, WriteValue>();
  for (const linear of linears) {
    const { block, name, input, output, nodes } = linear;
    if (linear.weight !== null || block === null) continue;
    kept.set(
      `${block}.${packedNames[linear.role]}`,
      writeRegion({ model, nodes, input, output }, name),
    );
  }
  const headRegion = { model, nodes: head.nodes, input: head.input, output: head.output };
  const rows = { model, nodes: embedding.nodes, input: 'input_ids', output: 'embed' };
  return {
    linear: (layer, name) => kept.get(`${layer}.${name}`),
    ...(head.weight === null ? { head: writeRegion(headRegion, 'lm_head') } : {}),
    ...(embedding.weight === null ? { embedding: writeRegion(rows, 'embed') } : {}),
  };
}

const packedNames: Record<Linear['role'], MatrixName | PackedName | 'lm_head'> = {
  qkv: 'self_attn.qkv_proj',
  o: 'self_attn.o_proj',
  gateUp: 'mlp.gate_up_proj',
  down: 'mlp.down_proj',
  head: 'lm_head',
};
