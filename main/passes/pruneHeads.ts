import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { groupScores, magnitudeScores } from '../numeric/pruning/unitScores.ts';
import { outputError } from '../numeric/quantization/errors.ts';
import { int } from '../onnx/attributes.ts';
import type { Attribute, Node } from '../onnx/model.ts';
import type { Block } from './decoder.ts';
import { edited } from './edit.ts';
import { readWeight } from './linear.ts';
import { unitPass } from './pruneUnits.ts';
import { columnsOfLayer, rowsOfLayer, spansOf, withPorts } from './slices.ts';
import type { UnitKind } from './units.ts';

/**
 * Key-value heads, each with all query heads that share it, so that grouped-query attention stays
 * what it is. Magnitude: Σ over its query heads of ‖q‖·‖o‖, times ‖k‖·‖v‖ (biases are not looked
 * at). Activation: mean ‖W_o·z‖² of the group, which is what the block's output loses without it;
 * with no gradients at hand this stands for the Taylor score, and it needs forward passes only.
 */
const groups: UnitKind<StepOf<'prune-heads'>> = {
  plural: 'key-value heads',
  count: ({ attention }) => attention.kvHeads,
  rounded: (_, asked) => Math.max(1, asked),
  layers: ({ linears }) => ({ into: linears.qkv, outOf: linears.o }),

  magnitudes({ attention }, { into, outOf }) {
    const { heads: count, kvHeads, headDim } = attention;
    const packed = readWeight(into);
    const part = (from: number, rows: number): Matrix => ({
      rows,
      columns: packed.columns,
      data: packed.data.subarray(from * packed.columns, (from + rows) * packed.columns),
    });
    const queries = count * headDim;
    const keys = kvHeads * headDim;
    const ofHeads = magnitudeScores(count, [
      { weight: part(0, queries), along: 'rows', width: headDim },
      { weight: readWeight(outOf), along: 'columns', width: headDim },
    ]);
    const ofGroups = magnitudeScores(kvHeads, [
      { weight: part(queries, keys), along: 'rows', width: headDim },
      { weight: part(queries + keys, keys), along: 'rows', width: headDim },
    ]);
    return groupScores(ofHeads, count / kvHeads).map((score, group) => score * ofGroups[group]);
  },

  async energies({ attention }, { outOf }, hessian, run) {
    const { kvHeads } = attention;
    const width = outOf.columns / kvHeads;
    const weight = readWeight(outOf);
    const moments = { rows: outOf.columns, columns: outOf.columns, data: hessian };
    const energies = new Float64Array(kvHeads);
    for (let group = 0; group < kvHeads; group++) {
      const own = columnsOf(weight, group * width, width);
      const nothing = { ...own, data: new Float32Array(own.data.length) };
      const inside = columnsOf(moments, group * width, width);
      const part = inside.data.subarray(group * width * width, (group + 1) * width * width);
      // H is twice the moments of one token.
      energies[group] = (await outputError(own, nothing, part, run)) / 2;
    }
    return energies;
  },

  cut(model, block, kept) {
    const { attention, linears } = block;
    const { node, heads: count, kvHeads, headDim } = attention;
    const perGroup = count / kvHeads;
    const queries = spansOf(kept, perGroup * headDim);
    const keys = spansOf(kept, headDim, count * headDim);
    const values = spansOf(kept, headDim, (count + kvHeads) * headDim);
    const smaller = edited(model, {
      remove: [node],
      nodes: [withHeads(node, kept.length * perGroup, kept.length)],
      initializers: [
        ...rowsOfLayer(linears.qkv, [...queries, ...keys, ...values]),
        ...columnsOfLayer(linears.o, queries),
      ],
    });
    return withPorts(smaller, cachePorts(block), ([batch, , ...rest]) => [
      batch,
      kept.length,
      ...rest,
    ]);
  },
};

/** Cuts the weakest attention heads out. */
export const headsPass = unitPass('prune-heads', groups);

function withHeads(node: Node, heads: number, kvHeads: number): Node {
  const attributes = new Map<string, Attribute>(node.attributes);
  attributes.set('num_heads', { ...int(heads), name: 'num_heads' });
  attributes.set('kv_num_heads', { ...int(kvHeads), name: 'kv_num_heads' });
  return { ...node, attributes };
}

const cachePorts = ({ index }: Block): string[] =>
  ['key', 'value'].flatMap((what) => [
    `past_key_values.${index}.${what}`,
    `present.${index}.${what}`,
  ]);

function columnsOf(
  { rows, columns, data }: Matrix,
  from: number,
  width: number,
): Matrix<Float64Array> {
  const part = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const at = row * columns + from;
    part.set(data.subarray(at, at + width), row * width);
  }
  return { rows, columns: width, data: part };
}
