import type { LayerReport } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import type { Model } from '../onnx/model.ts';
import { readDecoder } from './decoder.ts';
import { edited, type Edit } from './edit.ts';
import type { FloatLinear } from './linear.ts';
import type { BlockWalk, PassContext } from './pass.ts';
import { blockModel, headModel } from './subgraphs.ts';

/** What a method gathers of a layer's inputs and does with them. */
export interface LayerMethod<State> {
  /** Each layer sees what the layers changed before it give; else what the original gives. */
  readonly sequential: boolean;
  start(linear: FloatLinear): State;
  add(state: State, rows: Matrix<Float32Array>, linear: FloatLinear): Promise<void> | void;
  /** Null where the layer was only looked at. */
  finish(linear: FloatLinear, state: State): Promise<LayerChange | null>;
}

/** How a layer is changed; no edit leaves it as it is. */
export interface LayerChange {
  readonly edit: Edit | null;
  readonly report: LayerReport;
}

/**
 * Walks calibration text through the blocks and changes the chosen layers on the way, so that only
 * one layer's sums (one block's where not sequential) are in memory.
 */
export async function walkLayers<State>(
  model: Model,
  linears: readonly FloatLinear[],
  context: PassContext,
  method: LayerMethod<State>,
): Promise<{ model: Model; layers: LayerReport[] }> {
  const calibration = await context.calibration();
  const walk = await calibration.blocks(model);
  try {
    return await walkThrough(walk, model, linears, context, method);
  } finally {
    await walk.close();
  }
}

async function walkThrough<State>(
  walk: BlockWalk,
  model: Model,
  linears: readonly FloatLinear[],
  context: PassContext,
  method: LayerMethod<State>,
): Promise<{ model: Model; layers: LayerReport[] }> {
  const { sequential } = method;
  const total = linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const layers: LayerReport[] = [];
  let current = model;
  let done = 0;
  for (const group of byBlock(linears)) {
    const { block } = group[0];
    const end = block ?? readDecoder(model).blocks.length;
    while (walk.index < end) {
      context.progress(done / total, `blocks.${walk.index}`);
      await walk.advance(blockModel(sequential ? current : model, walk.index));
    }
    const part = (): Model => {
      const source = sequential ? current : model;
      return block === null ? headModel(source) : blockModel(source, block);
    };
    for (const some of sequential ? group.map((linear) => [linear]) : [group]) {
      context.progress(done / total, some[0].name);
      const states = new Map(some.map((linear) => [linear.input, method.start(linear)]));
      const byInput = new Map(some.map((linear) => [linear.input, linear]));
      await walk.inputs(part(), [...byInput.keys()], async (value, rows) => {
        const linear = byInput.get(value);
        const state = states.get(value);
        if (linear !== undefined && state !== undefined) await method.add(state, rows, linear);
      });
      for (const linear of some) {
        const state = states.get(linear.input);
        if (state === undefined) continue;
        states.delete(linear.input);
        context.progress(done / total, linear.name);
        const change = await method.finish(linear, state);
        if (change !== null) {
          const { edit, report } = change;
          if (edit !== null) current = edited(current, edit);
          layers.push(report);
          context.layer(report);
        }
        done += linear.rows * linear.columns;
      }
    }
  }
  return { model: current, layers };
}

/** Layers of one block together, in the order they run; the output matrix is a group of its own. */
export function byBlock(linears: readonly FloatLinear[]): FloatLinear[][] {
  const groups = new Map<number | null, FloatLinear[]>();
  for (const linear of linears) {
    const group = groups.get(linear.block);
    if (group === undefined) groups.set(linear.block, [linear]);
    else group.push(linear);
  }
  return [...groups.values()];
}
