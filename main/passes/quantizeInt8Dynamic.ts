import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import { biasNodes, storedLinear, type StoredLinear } from './blockwise.ts';
import { edited, nodeOf, weightBytes, type Edit } from './edit.ts';
import { integerBytes, integerWeight, type IntegerWeight } from './integerLinear.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import type { Pass } from './pass.ts';
import { chosenLinears } from './quantizeEach.ts';
import { layerReport } from './reports.ts';

type Step = StepOf<'quantize-int8-dynamic'>;

/**
 * 8-bit weights, activations rounded to 8 bit as they come. Weights are unsigned, or signed in 7
 * bits: with full signed bytes the kernels of x64 processors without VNNI add in 16 saturating bits.
 */
export const quantizeInt8DynamicPass: Pass<Step> = {
  name: 'quantize-int8-dynamic',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate(input, { targets, perChannel }) {
    const linears = chosenLinears(input, targets);
    const added = linears.reduce((sum, linear) => sum + integerBytes(linear, perChannel), 0);
    const freed = linears.reduce((sum, one) => sum + (one.shared ? 0 : one.weight.bytes.length), 0);
    const largest = Math.max(...linears.map(({ rows, columns }) => rows * columns));
    return {
      bytes: weightBytes(input.model) + added - freed,
      peakBytes: added + 4 * largest,
      seconds: added * 5e-8,
    };
  },
  async run(input, step, context) {
    const linears = chosenLinears(input, step.targets);
    const range = step.weights === 'uint8' ? 'uint8' : 'reduced';
    const edits: Edit[] = [];
    const layers: LayerReport[] = [];
    for (const [index, linear] of linears.entries()) {
      const started = performance.now();
      context.progress(index / linears.length, linear.name);
      const weight = await integerWeight(
        linear,
        readWeight(linear),
        { range, perChannel: step.perChannel },
        context.signal,
      );
      const { edit, bytes } = dynamicLinear(linear, weight);
      const loss = { measure: 'weight', before: null, after: weight.error } as const;
      const report = layerReport(linear, bytes, loss, started);
      edits.push(edit);
      layers.push(report);
      context.layer(report);
    }
    const notes = [
      'Activations are scaled over the whole input of a layer: results depend a little on what else is in the batch.',
    ];
    return { model: edited(input.model, ...edits), config: input.config, layers, notes };
  },
};

/** DynamicQuantizeLinear, MatMulInteger, and both scales taken back; the runtime fuses them. */
function dynamicLinear(linear: FloatLinear, weight: IntegerWeight): StoredLinear {
  const { codes, scales, zeroPoint } = weight;
  const at = (name: string): string => `${linear.output}/${name}`;
  const product = linear.bias === null ? linear.output : at('product');
  const nodes = [
    nodeOf(
      'DynamicQuantizeLinear',
      [linear.input],
      [at('activations'), at('scale'), at('zero_point')],
    ),
    nodeOf(
      'MatMulInteger',
      [at('activations'), codes.name, at('zero_point'), zeroPoint.name],
      [at('sums')],
    ),
    nodeOf('Cast', [at('sums')], [at('float')], {
      attributes: { to: int(dataTypes.float32.code) },
    }),
    nodeOf('Mul', [at('scale'), scales.name], [at('scales')]),
    nodeOf('Mul', [at('float'), at('scales')], [product]),
    ...biasNodes(linear, product),
  ];
  return storedLinear(linear, nodes, [codes, scales, zeroPoint]);
}
