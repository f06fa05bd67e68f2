import { LatheError } from '../../preload/contract/errors.ts';
import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { hessianMatrix } from '../numeric/linearAlgebra/hessian.ts';
import { transpose, type Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { nextTurn, plainMultiply, wholeView, type Run } from '../numeric/linearAlgebra/multiply.ts';
import { lowRank, type LowRank } from '../numeric/pruning/lowRank.ts';
import { weightError } from '../numeric/quantization/errors.ts';
import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';
import { biasNodes } from './blockwise.ts';
import { calibratedSeconds, hessianBytes } from './calibratedCost.ts';
import { edited, MICROSOFT, nodeOf, weightBytes, type Edit } from './edit.ts';
import { walkHessians } from './hessianWalk.ts';
import type { LayerChange } from './layerWalk.ts';
import { floatTensor, linearEdit, readWeight, type FloatLinear } from './linear.ts';
import type { Pass, PassContext, PassInput } from './pass.ts';
import { relativeOutputError } from './relativeError.ts';
import { layerReport } from './reports.ts';
import { chosenLinears } from './quantizeEach.ts';

type Step = StepOf<'low-rank'>;

/**
 * Two thin matrices in the place of one where that is smaller. Whitened by the inputs' second
 * moments, the error of the output is the least that this rank allows.
 */
export const lowRankPass: Pass<Step> = {
  name: 'low-rank',
  check(input, step) {
    if (planned(input, step).some(({ rank }) => rank !== null)) return;
    throw new LatheError(
      'usage',
      `no layer is large enough to be factored, keeping: ${step.keep}`,
      {
        value: String(step.keep),
      },
    );
  },
  preview: previewOf,
  estimate(input, step, tokens) {
    const layers = chosenLinears(input, step.targets);
    // Singular values by rotations in TypeScript: about 20 · m² · n on the smaller side m.
    const rotations = layers.reduce((sum, { rows, columns }) => {
      const [m, n] = [Math.min(rows, columns), Math.max(rows, columns)];
      return sum + 20 * m * m * n;
    }, 0);
    return {
      bytes: weightBytes(previewOf(input, step).model),
      peakBytes: hessianBytes(layers, 4),
      seconds: (step.whiten ? calibratedSeconds(layers, tokens, 4) : 0) + rotations / 1.5e9,
    };
  },
  async run(input, step, context) {
    const plans = planned(input, step);
    const ranks = new Map(plans.map(({ linear, rank }) => [linear.name, rank]));
    const linears = plans.flatMap(({ linear, rank }) => (rank === null ? [] : [linear]));
    const notes = plans
      .filter(({ rank }) => rank === null)
      .map(({ linear }) => `${linear.name} stays as it is: two factors would not be smaller.`);
    const change = (linear: FloatLinear, hessian: Float64Array | null): Promise<LayerChange> =>
      factorLayer(linear, ranks.get(linear.name) ?? 1, hessian, step, context);
    const { model, layers } = step.whiten
      ? await walkHessians(input.model, linears, context, {
          sequential: true,
          finish: (linear, sums) => change(linear, hessianMatrix(sums)),
        })
      : await factorEach(input.model, linears, context, (linear) => change(linear, null));
    return { model, config: input.config, layers, notes };
  },
};

function previewOf(input: PassInput, step: Step): PassInput {
  const edits = planned(input, step).flatMap(({ linear, rank }) =>
    rank === null ? [] : [factorEdit(linear, shapesOnly(linear, rank))],
  );
  return { model: edited(input.model, ...edits), config: input.config };
}

/** Each layer and its rank; null where two factors would not take less, or not be of any use. */
function planned(
  input: PassInput,
  { targets, keep }: Step,
): { linear: FloatLinear; rank: number | null }[] {
  return chosenLinears(input, targets).map((linear) => {
    const { rows, columns, shared } = linear;
    const rank = Math.floor((keep * rows * columns) / (rows + columns));
    // The embedding keeps a table that it shares: factors would come on top.
    return { linear, rank: rank < 1 || shared ? null : rank };
  });
}

async function factorEach(
  model: Model,
  linears: readonly FloatLinear[],
  context: PassContext,
  change: (linear: FloatLinear) => Promise<LayerChange>,
): Promise<{ model: Model; layers: LayerReport[] }> {
  const layers: LayerReport[] = [];
  const edits: Edit[] = [];
  for (const [index, linear] of linears.entries()) {
    context.progress(index / linears.length, linear.name);
    const { edit, report } = await change(linear);
    if (edit !== null) edits.push(edit);
    layers.push(report);
    context.layer(report);
  }
  return { model: edited(model, ...edits), layers };
}

async function factorLayer(
  linear: FloatLinear,
  rank: number,
  hessian: Float64Array | null,
  step: Step,
  { multiply, signal }: PassContext,
): Promise<LayerChange> {
  const started = performance.now();
  const run = { multiply, signal };
  const weight = readWeight(linear);
  const factors = await lowRank(weight, {
    ...run,
    rank,
    damp: step.damping,
    // H = (2/n)·Σ x·xᵀ is twice the moments.
    ...(hessian && { moments: hessian.map((value) => value / 2) }),
  });
  const approximation = await productOf(factors, run);
  const [after] =
    hessian === null
      ? [weightError(weight.data, approximation.data).relative]
      : await relativeOutputError({ weight, hessian }, [approximation], run);
  const edit = factorEdit(linear, {
    left: floatTensor(linear.weight, factors.left.data, [linear.rows, rank]),
    right: floatTensor(linear.weight, factors.right.data, [rank, linear.columns]),
  });
  const bytes = (edit.initializers ?? []).reduce((sum, tensor) => sum + tensor.bytes.length, 0);
  const loss = {
    measure: hessian === null ? 'weight' : 'output',
    before: null,
    after,
    note: `rank ${rank} of ${Math.min(linear.rows, linear.columns)}`,
  } as const;
  return { edit, report: layerReport(linear, bytes, loss, started) };
}

/** left · right, [N, K]. */
async function productOf({ left, right }: LowRank, { multiply, signal }: Run): Promise<Matrix> {
  await nextTurn(signal);
  const data = new Float64Array(left.rows * right.columns);
  const turned = transpose(right);
  await (multiply ?? plainMultiply).addProduct(
    wholeView(data, left.rows, right.columns),
    1,
    wholeView(Float64Array.from(left.data), left.rows, left.columns),
    wholeView(turned.data, turned.rows, turned.columns),
  );
  return { rows: left.rows, columns: right.columns, data };
}

/** Factors of a layer: left [N, rank], right [rank, K]; their names do not matter. */
interface Factors {
  readonly left: Tensor;
  readonly right: Tensor;
}

/** W x = left (right x): two products in the place of one, and the bias as it was. */
function factorEdit(linear: FloatLinear, { left, right }: Factors): Edit {
  const { name: base } = linear.weight;
  const inner = `${linear.name}.factored`;
  const whole = linear.bias === null ? linear.output : `${linear.output}/product`;
  const first = { ...right, name: `${base}.right` };
  const second = { ...left, name: `${base}.left` };
  return linearEdit(linear, {
    nodes: [
      ...productNodes(linear.input, first, inner),
      ...productNodes(inner, second, whole),
      ...biasNodes(linear, whole),
    ],
    initializers: [first, second],
  });
}

function productNodes(input: string, weight: Tensor, output: string): Node[] {
  const wide = weight.dataType === 'float32' ? weight.name : `${weight.name}:float32`;
  const cast = nodeOf('Cast', [weight.name], [wide], {
    attributes: { to: int(dataTypes.float32.code) },
  });
  const product = nodeOf('FusedMatMul', [input, wide], [output], {
    attributes: { transB: int(1) },
    domain: MICROSOFT,
  });
  return wide === weight.name ? [product] : [cast, product];
}

/** Factors whose numbers are not known yet. */
function shapesOnly({ weight, rows, columns }: FloatLinear, rank: number): Factors {
  const unread = (dims: readonly number[]): Tensor =>
    lazyTensor(weight.name, weight.dataType, dims, () => {
      throw new LatheError('internal', `the factors are not computed yet: ${weight.name}`);
    });
  return { left: unread([rows, rank]), right: unread([rank, columns]) };
}
