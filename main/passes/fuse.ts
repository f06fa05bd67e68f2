import type { StepOf } from '../../preload/contract/recipe.ts';
import { readLlamaConfig, type LlamaConfig } from '../architectures/llama/config.ts';
import type { Given, PackedName, WriteValue } from '../architectures/llama/form.ts';
import { EMBEDDING, FINAL_NORM, inLayer, type MatrixName } from '../architectures/llama/tensors.ts';
import type { NamedTensor } from '../formats/namedTensors.ts';
import type { Model } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { isFused } from './decoder.ts';
import { weightBytes } from './edit.ts';
import { findDecoder, type FoundBlock, type FoundDecoder } from './fuseBlocks.ts';
import type { FoundLinear } from './fuseLinear.ts';
import { Matcher, unlike } from './fuseMatch.ts';
import { foundTables } from './fuseRope.ts';
import { between } from './graphIndex.ts';
import type { Pass, PassInput } from './pass.ts';
import { rebuild, writeRegion, type Parts, type Region } from './rebuild.ts';
import { columnsOf, namedTensor, rowsOf, zeros } from './weights.ts';

/**
 * Turns any graph of the Llama kind, as exporters write them, into the fused form: one product for
 * queries, keys and values, one for gate and up, GroupQueryAttention, the residual sum with the
 * norm. Linear layers that are stored in another form than floats stay as they are. A graph in the
 * fused form stays as it is.
 */
export const fuse: Pass<StepOf<'fuse'>> = {
  name: 'fuse',
  check: (input) => void fused(input, false),
  estimate: ({ model }) => ({ bytes: weightBytes(model), peakBytes: 0, seconds: 0.2 }),
  preview: (input) => fused(input, false) ?? input,
  run: async (input) => {
    const result = fused(input, true);
    const notes = result === null ? ['The graph is in the fused form already.'] : [];
    return { ...(result ?? input), layers: [], notes };
  },
};

/** The input in the fused form; null where it is so already. Reads weights only with `compare`. */
function fused({ model, config }: PassInput, compare: boolean): PassInput | null {
  if (isFused(model) && model.graph.outputs.at(0)?.name === 'fetch_guard') return null;
  return { model: rebuild(partsOf(model, config, compare), 'fused'), config };
}

/** A foreign decoder taken apart. */
function partsOf(model: Model, json: PassInput['config'], compare: boolean): Parts {
  const match = new Matcher(model);
  const known = readLlamaConfig(json, 'config.json');
  const layers = model.graph.inputs.filter(({ name }) =>
    /^past_key_values\.\d+\.key$/.test(name),
  ).length;
  if (layers === 0) throw unlike('there is no cache', 'past_key_values.0.key');
  const headDim = numberAt(match, 'past_key_values.0.key', 3) ?? known.headDim;
  const found = findDecoder(match, layers, headDim);
  const blocks = found.blocks.map((block, layer) => sizesOf(block, headDim, layer));
  const [{ attention }] = found.blocks;
  const numbers: LlamaConfig = {
    ...known,
    ...blocks[0],
    blocks,
    layers,
    headDim,
    hiddenSize: found.head.columns,
    vocabularySize: found.head.rows,
    normEpsilon: found.finalNorm.epsilon,
    attentionScale: attention.scale,
    attentionBias: biased(found.blocks.flatMap((block) => block.attention.linears)),
    outputBias: biased(found.blocks.map((block) => block.o)),
    mlpBias: biased(found.blocks.flatMap((block) => [...block.gateUp, block.down])),
    tiedEmbeddings: isTied(found, known.tiedEmbeddings, compare),
  };
  checkSame(found, numbers);
  const rope = foundTables(match, attention, numbers);
  const config = { ...numbers, contextLength: rope.cos.length / (headDim / 2) };
  return {
    config,
    weights: weightsOf(found, config),
    given: { ...givenOf(match, found, headDim), rope },
  };
}

const biased = (linears: readonly FoundLinear[]): boolean =>
  linears.some(({ weight, bias }) => weight !== null && bias !== null);

/** What the writers of graphs take to be the same in all blocks. */
function checkSame({ blocks }: FoundDecoder, config: LlamaConfig): void {
  for (const { attention, attentionNorm, mlpNorm } of blocks) {
    for (const { epsilon, weight } of [attentionNorm, mlpNorm]) {
      if (epsilon !== config.normEpsilon) throw unlike('norms of another epsilon', weight.name);
    }
    const difference = Math.abs(attention.scale / (config.attentionScale ?? 1) - 1);
    if (difference > 1e-6) throw unlike('blocks with another scale', String(attention.scale));
  }
}

function sizesOf({ attention, gateUp, o, down }: FoundBlock, headDim: number, layer: number) {
  const queries = o.columns;
  const [first, second] = attention.linears;
  const keys = second?.rows ?? (first.rows - queries) / 2;
  const sizes = {
    heads: queries / headDim,
    keyValueHeads: keys / headDim,
    intermediateSize: down.columns,
  };
  const rows = second === undefined ? queries + 2 * keys : queries;
  const whole = [sizes.heads, sizes.keyValueHeads, sizes.heads / sizes.keyValueHeads];
  const neurons = gateUp.reduce((sum, linear) => sum + linear.rows, 0);
  if (first.rows !== rows || !whole.every(Number.isInteger) || neurons !== 2 * down.columns) {
    throw unlike('matrices that do not fit each other', `block ${layer}`);
  }
  return sizes;
}

function numberAt(match: Matcher, port: string, axis: number): number | null {
  const size = match.graph.port(port)?.[axis];
  return typeof size === 'number' ? size : null;
}

/** Whether the output matrix is the embedding's, under one name or written twice. */
function isTied({ table, head }: FoundDecoder, wanted: boolean, compare: boolean): boolean {
  if (table === null || head.weight === null) return false;
  const { tensor, layout } = head.weight;
  if (tensor === table) return layout === 'NK';
  if (!wanted || tensor.dataType !== table.dataType) return false;
  if (head.rows !== table.dims[0]) return false;
  if (!compare) return true;
  const other = matrixOf('lm_head.weight', head.weight, 0, head.rows);
  return Buffer.compare(other.read(), table.bytes.read()) === 0;
}

interface NamedPart {
  readonly name: MatrixName;
  readonly linear: FoundLinear;
  readonly from: number;
  readonly to: number;
}

/** The matrices of a block by the names of transformers, as rows of the layers found. */
function namedParts({ attention, gateUp, o, down }: FoundBlock, config: LlamaConfig): NamedPart[] {
  const queries = config.heads * config.headDim;
  const keys = config.keyValueHeads * config.headDim;
  const neurons = config.intermediateSize;
  return [
    ...cut(attention.linears, [
      ['self_attn.q_proj', queries],
      ['self_attn.k_proj', keys],
      ['self_attn.v_proj', keys],
    ]),
    ...cut([o], [['self_attn.o_proj', o.rows]]),
    ...cut(gateUp, [
      ['mlp.gate_proj', neurons],
      ['mlp.up_proj', neurons],
    ]),
    ...cut([down], [['mlp.down_proj', down.rows]]),
  ];
}

/** Named matrices over `linears`: one each, or rows of a single one. */
function cut(
  linears: readonly FoundLinear[],
  sizes: readonly (readonly [MatrixName, number])[],
): NamedPart[] {
  let start = 0;
  return sizes.map(([name, size], index) => {
    if (linears.length > 1) return { name, linear: linears[index], from: 0, to: size };
    const from = start;
    start += size;
    return { name, linear: linears[0], from, to: start };
  });
}

type Stored = NonNullable<FoundLinear['weight']>;

function matrixOf(name: string, { tensor, layout }: Stored, from: number, to: number): NamedTensor {
  return layout === 'NK' ? rowsOf(name, tensor, from, to) : columnsOf(name, tensor, from, to);
}

function weightsOf(found: FoundDecoder, config: LlamaConfig): NamedTensor[] {
  const { hiddenSize, tiedEmbeddings } = config;
  const norm = (name: string, weight: Tensor): NamedTensor =>
    namedTensor(name, [hiddenSize], weight);
  const weights = found.blocks.flatMap((block, layer) => [
    norm(inLayer(layer, 'input_layernorm.weight'), block.attentionNorm.weight),
    norm(inLayer(layer, 'post_attention_layernorm.weight'), block.mlpNorm.weight),
    ...namedParts(block, { ...config, ...config.blocks?.[layer] }).flatMap((part) =>
      partWeights(part, layer, config),
    ),
  ]);
  weights.push(norm(FINAL_NORM, found.finalNorm.weight));
  if (found.table !== null) weights.push(namedTensor(EMBEDDING, found.table.dims, found.table));
  if (found.head.weight !== null && !tiedEmbeddings) {
    weights.push(matrixOf('lm_head.weight', found.head.weight, 0, found.head.rows));
  }
  return weights;
}

function partWeights(
  { name, linear, from, to }: NamedPart,
  layer: number,
  { attentionBias, outputBias, mlpBias }: LlamaConfig,
): NamedTensor[] {
  if (linear.weight === null) return [];
  const weight = matrixOf(inLayer(layer, `${name}.weight`), linear.weight, from, to);
  const attention = name === 'self_attn.o_proj' ? outputBias : attentionBias;
  if (!(name.startsWith('mlp') ? mlpBias : attention)) return [weight];
  const bias = inLayer(layer, `${name}.bias`);
  return [
    weight,
    linear.bias === null ? zeros(bias, to - from) : rowsOf(bias, linear.bias, from, to),
  ];
}

function regionOf(model: Model, { nodes, operand, output }: FoundLinear): Region {
  return { model, nodes, input: operand, output };
}

/** The layers that are stored in another form than floats, to be written as they are. */
function givenOf(match: Matcher, found: FoundDecoder, headDim: number): Given {
  const kept = new Map<string, WriteValue>();
  const { model, graph } = match;
  const keep = (layer: number, name: MatrixName | PackedName, linear: FoundLinear): void => {
    if (linear.weight !== null) return;
    if (headDim % 16 !== 0) throw unlike('quantized heads of a size that must be padded', name);
    kept.set(`${layer}.${name}`, writeRegion(regionOf(model, linear), `blocks.${layer}.${name}`));
  };
  found.blocks.forEach(({ attention, gateUp, o, down }, layer) => {
    const [q, k, v] = attention.linears;
    const [gate, up] = gateUp;
    if (k === undefined) keep(layer, 'self_attn.qkv_proj', q);
    else keep(layer, 'self_attn.q_proj', q);
    if (k !== undefined) keep(layer, 'self_attn.k_proj', k);
    if (v !== undefined) keep(layer, 'self_attn.v_proj', v);
    keep(layer, 'self_attn.o_proj', o);
    if (up === undefined) keep(layer, 'mlp.gate_up_proj', gate);
    else keep(layer, 'mlp.gate_proj', gate);
    if (up !== undefined) keep(layer, 'mlp.up_proj', up);
    keep(layer, 'mlp.down_proj', down);
  });
  const rows = { model, input: 'input_ids', output: found.embed };
  return {
    linear: (layer, name) => kept.get(`${layer}.${name}`),
    ...(found.head.weight === null
      ? { head: writeRegion(regionOf(model, found.head), 'lm_head') }
      : {}),
    ...(found.table === null
      ? {
          embedding: writeRegion(
            { ...rows, nodes: between(graph, found.embed, 'input_ids') },
            'embed',
          ),
        }
      : {}),
  };
}
