import { LatheError } from '../../preload/contract/errors.ts';
import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { columnMaxima, smoothingScales } from '../numeric/quantization/smoothQuant.ts';
import { observedSeconds } from './calibratedCost.ts';
import { readDecoder, type Decoder, type Norm } from './decoder.ts';
import { edited, weightBytes } from './edit.ts';
import { divideNorm, multiplyColumns } from './fold.ts';
import { isFloatLinear, readWeight, type FloatLinear } from './linear.ts';
import type { Pass } from './pass.ts';
import { layerReport } from './reports.ts';
import { blockModel } from './subgraphs.ts';

/** A norm and the layer that reads it. */
interface Pair {
  readonly block: number;
  readonly norm: Norm;
  readonly linear: FloatLinear;
}

/** SmoothQuant's folding: ranges move from activations into weights, results stay. */
export const smoothQuantPass: Pass<StepOf<'smooth-quant'>> = {
  name: 'smooth-quant',
  check: ({ model }) => void pairsOf(readDecoder(model)),
  estimate({ model }, _, tokens) {
    const pairs = pairsOf(readDecoder(model));
    const weights = pairs.reduce((sum, { linear }) => sum + linear.rows * linear.columns, 0);
    const observed = observedSeconds(
      pairs.map(({ linear }) => linear),
      tokens,
    );
    return {
      bytes: weightBytes(model),
      peakBytes: 8 * weights,
      seconds: observed + weights * 2e-7,
    };
  },
  async run(input, { alpha }, context) {
    const pairs = pairsOf(readDecoder(input.model));
    const layers: LayerReport[] = [];
    const calibration = await context.calibration();
    const walk = await calibration.blocks(input.model);
    let model = input.model;
    try {
      for (const block of new Set(pairs.map((pair) => pair.block))) {
        while (walk.index < block) await walk.advance(blockModel(input.model, walk.index));
        const some = pairs.filter((pair) => pair.block === block);
        const maxima = new Map<string, Float64Array>();
        const values = some.map(({ norm }) => norm.output);
        await walk.inputs(blockModel(input.model, block), values, (value, rows) => {
          const now = columnMaxima(rows);
          const before = maxima.get(value);
          maxima.set(value, before ? now.map((most, i) => Math.max(most, before[i])) : now);
        });
        for (const { norm, linear } of some) {
          const started = performance.now();
          const weight = readWeight(linear);
          const scales = smoothingScales(
            maxima.get(norm.output) ?? new Float64Array(linear.columns),
            [weight],
            alpha,
          );
          model = edited(model, divideNorm(model, norm, scales), multiplyColumns(linear, scales));
          const loss = { measure: 'output', before: 0, after: 0 } as const;
          const report = layerReport(linear, linear.weight.bytes.length, loss, started);
          layers.push(report);
          context.layer(report);
          context.progress(layers.length / pairs.length, linear.name);
        }
      }
    } finally {
      await walk.close();
    }
    const notes = [
      'Folding alone changes nothing: let a pass that quantizes to 8 bit follow. Activations are scaled per tensor, which loses a little more than the published per-token figures.',
    ];
    return { model, config: input.config, layers, notes };
  },
};

function pairsOf({ blocks }: Decoder): Pair[] {
  const pairs = blocks.flatMap(({ index: block, norms, linears: { qkv, gateUp } }) => [
    ...(isFloatLinear(qkv) ? [{ block, norm: norms.attention, linear: qkv }] : []),
    ...(isFloatLinear(gateUp) ? [{ block, norm: norms.mlp, linear: gateUp }] : []),
  ]);
  if (pairs.length > 0) return pairs;
  throw new LatheError(
    'usage',
    'smoothing needs layers in float behind a norm; all are stored in another form: 0',
  );
}
