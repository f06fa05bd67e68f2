import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { meanSquaresOf } from '../numeric/pruning/wanda.ts';
import { magnitudeScores } from '../numeric/pruning/unitScores.ts';
import { edited } from './edit.ts';
import { readWeight } from './linear.ts';
import { unitPass } from './pruneUnits.ts';
import { columnsOfLayer, rowsOfLayer, spansOf } from './slices.ts';
import type { UnitKind } from './units.ts';

/**
 * Neurons of the gated MLP: a row of gate, a row of up, a column of down. Magnitude: the product of
 * their norms (biases are not looked at). Activation: mean a²·‖down column‖² over calibration
 * tokens, which is what the block's output loses without the neuron.
 */
const neurons: UnitKind<StepOf<'prune-neurons'>> = {
  plural: 'neurons',
  count: (block) => block.neurons,
  rounded: ({ neurons: count }, asked, { multipleOf }) =>
    Math.min(count, Math.max(1, Math.ceil(asked / multipleOf)) * multipleOf),
  layers: ({ linears }) => ({ into: linears.gateUp, outOf: linears.down }),

  magnitudes({ neurons: count }, { into, outOf }) {
    const packed = readWeight(into);
    const half = (at: number): Matrix => ({
      rows: count,
      columns: packed.columns,
      data: packed.data.subarray(at * count * packed.columns, (at + 1) * count * packed.columns),
    });
    return magnitudeScores(count, [
      { weight: half(0), along: 'rows', width: 1 },
      { weight: half(1), along: 'rows', width: 1 },
      { weight: readWeight(outOf), along: 'columns', width: 1 },
    ]);
  },

  energies({ neurons: count }, { outOf }, hessian) {
    const norms = magnitudeScores(count, [
      { weight: readWeight(outOf), along: 'columns', width: 1 },
    ]);
    return meanSquaresOf(hessian, count).map((square, neuron) => square * norms[neuron] ** 2);
  },

  cut(model, { linears, neurons: count }, kept) {
    return edited(model, {
      initializers: [
        ...rowsOfLayer(linears.gateUp, [...spansOf(kept, 1), ...spansOf(kept, 1, count)]),
        ...columnsOfLayer(linears.down, spansOf(kept, 1)),
      ],
    });
  },
};

/** Cuts the weakest neurons out of the MLPs. */
export const neuronsPass = unitPass('prune-neurons', neurons);
