import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { hessianMatrix } from '../numeric/linearAlgebra/hessian.ts';
import {
  allocatePrecision,
  type Allocation,
  type AllocationLayer,
} from '../numeric/quantization/allocation.ts';
import { blockwiseBytes, storeBlocks } from './blockwise.ts';
import { calibratedSeconds, trialSeconds } from './calibratedCost.ts';
import { readDecoder } from './decoder.ts';
import { edited, weightBytes, type Edit } from './edit.ts';
import { walkHessians } from './hessianWalk.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import { quantizeWith, zeroPointKind, type CodeBits } from './mixedMethods.ts';
import type { Pass, PassContext, PassInput, PassOutput } from './pass.ts';
import { chosenLinears } from './quantizeEach.ts';
import { gptq, lossOf } from './quantizeGptq.ts';
import { layerReport } from './reports.ts';
import { measureSensitivity, type Sensitivities } from './sensitivity.ts';

type Step = StepOf<'quantize-mixed'>;

/** Gives each layer the bits it needs: sensitivities, then the best use of the limit, then codes. */
export const quantizeMixedPass: Pass<Step> = {
  name: 'quantize-mixed',
  check(input, step) {
    const linears = chosenLinears(input, step.targets);
    // A limit of size can be refused from shapes alone; one of error only after measuring.
    if (step.limit.kind !== 'error') allocate(linears, step, flat(linears, step));
  },
  estimate(input, step, tokens) {
    const linears = chosenLinears(input, step.targets);
    const weights = linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    const { bytes } = allocate(linears, withoutError(step), flat(linears, step));
    const freed = linears.reduce((sum, one) => sum + (one.shared ? 0 : one.weight.bytes.length), 0);
    const runs = linears.length * trialSeconds(readDecoder(input.model), tokens);
    const measured = {
      'weight-error': 0,
      'layer-error': calibratedSeconds(linears, tokens, step.choices.length + 1),
      // A run of the sampled tokens through the whole model for each choice, or for each layer.
      'logit-kl': runs * step.choices.length,
      fisher: runs,
    };
    const method = step.method === 'gptq' ? calibratedSeconds(linears, tokens, 2) : weights * 4e-7;
    return {
      bytes: weightBytes(input.model) + bytes - freed,
      peakBytes: 2 * bytes + 16 * Math.max(...linears.map(({ rows, columns }) => rows * columns)),
      seconds: measured[step.sensitivity] + method,
    };
  },
  async run(input, step, context) {
    const linears = chosenLinears(input, step.targets);
    const table = await measureSensitivity(input.model, linears, step, {
      ...context,
      progress: (fraction, detail) => context.progress(fraction / 2, detail),
    });
    const allocation = allocate(linears, step, table);
    const bitsOf = new Map(allocation.choices.map(({ layer, option }) => [layer, Number(option)]));
    const output = await quantizeChosen(input, linears, bitsOf, step, {
      ...context,
      progress: (fraction, detail) => context.progress(0.5 + fraction / 2, detail),
      layer: (report) => context.layer(withTable(report)),
    });
    const notes = [
      `${allocation.bitsPerWeight.toFixed(2)} bits per weight over these layers; the sum of errors is ${allocation.error.toPrecision(3)}, no choice can be below ${allocation.bound.toPrecision(3)}.`,
      ...(step.method === 'hqq' && [...bitsOf.values()].includes(8)
        ? ['Layers with 8 bits are rounded to nearest: float zero points end at 4 bits.']
        : []),
    ];
    return { ...output, layers: output.layers.map(withTable), notes };

    function withTable(report: LayerReport): LayerReport {
      const linear = linears.find(({ name }) => name === report.layer);
      const errors = table.get(report.layer);
      if (linear === undefined || errors === undefined) return report;
      const sensitivity = [...errors].map(([bits, error]) => ({
        bits,
        bytes: optionBytes(linear, bits, step),
        error,
      }));
      return { ...report, sensitivity };
    }
  },
};

function optionBytes(linear: FloatLinear, bits: number, step: Step): number {
  if (bits !== 2 && bits !== 4 && bits !== 8) return 4 * linear.rows * linear.columns;
  const options = { bits, groupSize: step.groupSize, format: 'matmulnbits' } as const;
  return blockwiseBytes(linear, options, zeroPointKind(step, bits));
}

function allocate(linears: readonly FloatLinear[], step: Step, table: Sensitivities): Allocation {
  const layers = linears.map((linear): AllocationLayer => {
    const errors = table.get(linear.name) ?? new Map<number, number>();
    return {
      name: linear.name,
      weights: linear.rows * linear.columns,
      options: [...errors].map(([bits, error]) => ({
        name: String(bits),
        bytes: optionBytes(linear, bits, step),
        error,
      })),
    };
  });
  return allocatePrecision(layers, step.limit);
}

/** The same falling error for all layers, where only sizes matter. */
function flat(linears: readonly FloatLinear[], { choices }: Step): Sensitivities {
  const errors = new Map(choices.map((bits) => [bits, bits === 32 ? 0 : 4 ** -bits]));
  return new Map(linears.map(({ name }) => [name, errors]));
}

/** What to reckon with where the limit is one of error. */
function withoutError(step: Step): Step {
  return step.limit.kind === 'error'
    ? { ...step, limit: { kind: 'bits-per-weight', most: 32 } }
    : step;
}

async function quantizeChosen(
  input: PassInput,
  linears: readonly FloatLinear[],
  bitsOf: ReadonlyMap<string, number>,
  step: Step,
  context: PassContext,
): Promise<PassOutput> {
  const { signal } = context;
  const { config } = input;
  const wanted = linears.flatMap((linear): { linear: FloatLinear; bits: CodeBits }[] => {
    const bits = bitsOf.get(linear.name);
    return bits === 2 || bits === 4 || bits === 8 ? [{ linear, bits }] : [];
  });
  const kept = linears.filter((linear) => !wanted.some((one) => one.linear === linear));
  const untouched = kept.map((linear) =>
    layerReport(
      linear,
      linear.weight.bytes.length,
      { measure: 'weight', before: 0, after: 0, note: 'left in float' },
      performance.now(),
    ),
  );
  untouched.forEach((report) => context.layer(report));
  const format = { accuracy: step.accuracy, format: 'matmulnbits' } as const;

  if (step.method === 'gptq') {
    const bits = new Map(wanted.map((one) => [one.linear.name, one.bits]));
    const chosen = wanted.map(({ linear }) => linear);
    const done = await walkHessians(input.model, chosen, context, {
      sequential: true,
      async finish(linear, sums) {
        const started = performance.now();
        const weight = readWeight(linear);
        const hessian = hessianMatrix(sums);
        const options = { bits: bits.get(linear.name) ?? 8, ...gptqDefaults, ...step };
        const found = await gptq(weight, hessian, options, context);
        const { edit, bytes } = await storeBlocks(linear, found.quantized, format, signal);
        const loss = await lossOf(weight, hessian, found, context);
        return { edit, report: layerReport(linear, bytes, loss, started) };
      },
    });
    return { model: done.model, config, layers: [...untouched, ...done.layers], notes: [] };
  }

  const edits: Edit[] = [];
  const layers: LayerReport[] = [];
  for (const [index, { linear, bits }] of wanted.entries()) {
    const started = performance.now();
    context.progress(index / wanted.length, linear.name);
    const { quantized, error } = await quantizeWith(readWeight(linear), bits, step, signal);
    const { edit, bytes } = await storeBlocks(linear, quantized, format, signal);
    const loss = { measure: 'weight', before: null, after: error } as const;
    const report = layerReport(linear, bytes, loss, started);
    edits.push(edit);
    layers.push(report);
    context.layer(report);
  }
  const model = edited(input.model, ...edits);
  return { model, config, layers: [...untouched, ...layers], notes: [] };
}

/** GPTQ as it is by default; a mixed step chooses bits, not options of the method. */
const gptqDefaults = { blockSize: 128, activationOrder: true, scaleSearch: false } as const;
