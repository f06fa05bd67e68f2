import { LatheError } from '../../preload/contract/errors.ts';
import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { int } from '../onnx/attributes.ts';
import type { Node } from '../onnx/model.ts';
import { tensorOf, type Tensor } from '../onnx/tensor.ts';
import { accuracyLevel, blockwiseBytes, gridOf } from './blockwise.ts';
import { packSlices, quantizeSlices } from './rowSlices.ts';
import { readDecoder, type Decoder } from './decoder.ts';
import { edited, MICROSOFT, nodeOf, weightBytes, type Edit } from './edit.ts';
import { isFloatLinear, linearEdit, readFloats } from './linear.ts';
import type { Pass } from './pass.ts';

type Step = StepOf<'quantize-embedding'>;

/**
 * The embedding in blocks (GatherBlockQuantized over packed uint8). A tied output matrix reads the
 * same bytes through a Reshape, so the file holds them once.
 */
export const quantizeEmbeddingPass: Pass<Step> = {
  name: 'quantize-embedding',
  check: ({ model }, step) => void tableOf(readDecoder(model), step),
  estimate({ model }, step) {
    const decoder = readDecoder(model);
    const table = tableOf(decoder, step);
    const added = embeddingBytes(table, step);
    const freed = keepsFloats(decoder, step) ? 0 : table.bytes.length;
    const [rows, columns] = table.dims;
    return {
      bytes: weightBytes(model) + added - freed,
      peakBytes: added + 4 * rows * columns,
      seconds: rows * columns * 6e-8,
    };
  },
  async run({ model, config }, step, context) {
    const started = performance.now();
    const decoder = readDecoder(model);
    const table = tableOf(decoder, step);
    const [rows, columns] = table.dims;
    const weight = { rows, columns, data: readFloats(table) };
    const { quantized, error } = await quantizeSlices(weight, context.signal, (some) =>
      quantizeRtn(some, { ...step, grid: gridOf(step.symmetric) }),
    );
    const packed = await packSlices(quantized, context.signal);
    const name = table.name;
    const blocks = columns / step.groupSize;
    const initializers = [
      tensorOf(`${name}.codes`, [rows, (columns * step.bits) / 8], packed.codes),
      tensorOf(`${name}.scales`, [rows, blocks], packed.scales),
      ...(packed.zeroPoints === null
        ? []
        : [
            tensorOf(
              `${name}.zero_points`,
              [rows, packed.zeroPoints.length / rows],
              packed.zeroPoints,
            ),
          ]),
    ];
    const bytes = initializers.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    const report: LayerReport = {
      layer: 'embed',
      measure: 'weight',
      errorBefore: null,
      errorAfter: error,
      bits: (8 * bytes) / (rows * columns),
      bytesBefore: table.bytes.length,
      bytes,
      seconds: (performance.now() - started) / 1000,
      ...(sharesHead(decoder, step) && { note: 'shared with the output matrix' }),
    };
    context.layer(report);
    const edits = [
      {
        remove: decoder.embedding.nodes,
        nodes: [gatherNode(initializers, step)],
        initializers,
      },
      ...headEdits(decoder, initializers, step),
    ];
    const notes =
      decoder.embedding.tied && !step.head
        ? ['The tied output matrix stays in float: both are stored.']
        : [];
    return { model: edited(model, ...edits), config, layers: [report], notes };
  },
};

/** The table; `usage` where it cannot be quantized so. */
function tableOf({ embedding, hiddenSize }: Decoder, { groupSize }: Step): Tensor {
  const { weight } = embedding;
  if (weight === null) {
    throw new LatheError('usage', 'the embedding is stored in another form already: embed', {
      value: 'embed',
    });
  }
  if (hiddenSize % groupSize !== 0) {
    throw new LatheError(
      'usage',
      `a group of the embedding must divide its width of ${hiddenSize}: ${groupSize}`,
      { tensor: weight.name, value: String(groupSize) },
    );
  }
  return weight;
}

const sharesHead = ({ embedding }: Decoder, { head }: Step): boolean => embedding.tied && head;

const keepsFloats = (decoder: Decoder, step: Step): boolean => decoder.embedding.tied && !step.head;

function embeddingBytes({ dims: [rows, columns] }: Tensor, step: Step): number {
  const kind = step.symmetric ? 'midpoint' : 'integer';
  return blockwiseBytes({ rows, columns }, { ...step, format: 'matmulnbits' }, kind);
}

function gatherNode(initializers: readonly Tensor[], { bits, groupSize }: Step): Node {
  const [codes, scales, ...zeroPoints] = initializers.map(({ name }) => name);
  return nodeOf('GatherBlockQuantized', [codes, 'input_ids', scales, ...zeroPoints], ['embed'], {
    attributes: {
      bits: int(bits),
      block_size: int(groupSize),
      gather_axis: int(0),
      quantize_axis: int(1),
    },
    domain: MICROSOFT,
  });
}

/** The tied output matrix over the same constants. */
function headEdits(decoder: Decoder, initializers: readonly Tensor[], step: Step): Edit[] {
  const { head, hiddenSize, vocabularySize } = decoder;
  if (!sharesHead(decoder, step) || !isFloatLinear(head)) return [];
  const { bits, groupSize } = step;
  const [codes, scales, ...zeroPoints] = initializers.map(({ name }) => name);
  const shape = `${codes}.shape`;
  const blocks = hiddenSize / groupSize;
  const dims = [vocabularySize, blocks, (groupSize * bits) / 8];
  const seen = `${codes}.blocks`;
  const inputs = [head.input, seen, scales, ...zeroPoints];
  if (head.bias !== null) {
    inputs.push(...(zeroPoints.length === 0 ? [''] : []), '', head.bias.name);
  }
  const nodes = [
    nodeOf('Reshape', [codes, shape], [seen]),
    nodeOf('MatMulNBits', inputs, [head.output], {
      attributes: {
        K: int(hiddenSize),
        N: int(vocabularySize),
        bits: int(bits),
        block_size: int(groupSize),
        accuracy_level: int(accuracyLevel(step.accuracy)),
      },
      domain: MICROSOFT,
    }),
  ];
  const sizes = tensorOf(shape, [dims.length], BigInt64Array.from(dims, BigInt));
  return [linearEdit(head, { nodes, initializers: [sizes] })];
}
