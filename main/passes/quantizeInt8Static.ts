import type { StepOf } from '../../preload/contract/recipe.ts';
import {
  createRangeObserver,
  type ActivationRange,
  type CalibrationMethod,
} from '../numeric/quantization/calibration.ts';
import { computeScaleZeroPoint, integerRanges } from '../numeric/quantization/int8.ts';
import { int } from '../onnx/attributes.ts';
import { tensorOf } from '../onnx/tensor.ts';
import { biasNodes, storedLinear, type StoredLinear } from './blockwise.ts';
import { observedSeconds } from './calibratedCost.ts';
import { nodeOf, weightBytes } from './edit.ts';
import { integerBytes, integerWeight, type IntegerWeight } from './integerLinear.ts';
import { walkLayers } from './layerWalk.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import type { Pass } from './pass.ts';
import { chosenLinears } from './quantizeEach.ts';
import { layerReport } from './reports.ts';

type Step = StepOf<'quantize-int8-static'>;

/** 8-bit weights and activations in QDQ form; the ranges of activations come from calibration. */
export const quantizeInt8StaticPass: Pass<Step> = {
  name: 'quantize-int8-static',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate(input, { targets }, tokens) {
    const linears = chosenLinears(input, targets);
    const added = linears.reduce((sum, linear) => sum + integerBytes(linear, true), 0);
    const freed = linears.reduce((sum, one) => sum + (one.shared ? 0 : one.weight.bytes.length), 0);
    const largest = Math.max(...linears.map(({ rows, columns }) => rows * columns));
    return {
      bytes: weightBytes(input.model) + added - freed,
      peakBytes: added + 4 * largest,
      seconds: observedSeconds(linears, tokens) + added * 5e-8,
    };
  },
  async run(input, step, context) {
    const linears = chosenLinears(input, step.targets);
    const { model, layers } = await walkLayers(input.model, linears, context, {
      sequential: false,
      start: () => createRangeObserver(methodOf(step)),
      add: (observer, { data }) => observer.observe(data),
      async finish(linear, observer) {
        const started = performance.now();
        const weight = await integerWeight(
          linear,
          readWeight(linear),
          { range: 'uint8', perChannel: true },
          context.signal,
        );
        const { edit, bytes } = staticLinear(linear, weight, observer.range());
        const loss = { measure: 'weight', before: null, after: weight.error } as const;
        return { edit, report: layerReport(linear, bytes, loss, started) };
      },
    });
    return { model, config: input.config, layers, notes: [] };
  },
};

function methodOf({ method, percentile }: Step): CalibrationMethod {
  return method === 'percentile' ? { kind: method, percentile } : { kind: method };
}

/**
 * Activations per tensor and asymmetric, weights per output channel around 128, both uint8; the
 * runtime makes one integer product of them. The bias stays a float, behind the product.
 */
function staticLinear(
  linear: FloatLinear,
  { codes, scales, zeroPoint }: IntegerWeight,
  { least, greatest }: ActivationRange,
): StoredLinear {
  const range = computeScaleZeroPoint(least, greatest, integerRanges.uint8, false);
  const at = (name: string): string => `${linear.output}/${name}`;
  const scale = tensorOf(at('input_scale'), [], Float32Array.of(range.scale));
  const zero = tensorOf(at('input_zero_point'), [], Uint8Array.of(range.zeroPoint));
  const zeros = tensorOf(zeroPoint.name, scales.dims, new Uint8Array(linear.rows).fill(128));
  const product = linear.bias === null ? linear.output : at('product');
  const nodes = [
    nodeOf('QuantizeLinear', [linear.input, scale.name, zero.name], [at('input_codes')]),
    nodeOf('DequantizeLinear', [at('input_codes'), scale.name, zero.name], [at('input')]),
    nodeOf('DequantizeLinear', [codes.name, scales.name, zeros.name], [at('weight')], {
      attributes: { axis: int(1) },
    }),
    nodeOf('MatMul', [at('input'), at('weight')], [product]),
    ...biasNodes(linear, product),
  ];
  return storedLinear(linear, nodes, [codes, scales, zeros, scale, zero]);
}
