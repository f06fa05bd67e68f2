import * as z from 'zod';
import {
  accuracy,
  bits,
  blocks,
  damping,
  format,
  groupSize,
  share,
  step,
  symmetric,
  targets,
} from './options.ts';

const blockwise = { bits, groupSize, accuracy, format, targets: targets(blocks) };

const blockSize = z
  .int()
  .min(1)
  .max(4096)
  .default(128)
  .describe('Columns worked on between two large products. Changes speed, not results.');

/** Passes that store weights, and activations, in fewer bits. */
export const quantizeSteps = [
  step('quantize-rtn', 'Rounds each weight to the nearest code (RTN). Needs no data.', {
    ...blockwise,
    symmetric: symmetric(true),
  }),
  step('quantize-kquant', 'Searches the scale of each group for the least squared error.', {
    ...blockwise,
    symmetric: symmetric(false),
    importance: z
      .boolean()
      .default(false)
      .describe('Weigh each input channel by its mean square in calibration text.'),
  }),
  step('quantize-gptq', 'Rounds column by column; columns left make up for the error (GPTQ).', {
    ...blockwise,
    symmetric: symmetric(true),
    damping,
    blockSize,
    activationOrder: z
      .boolean()
      .default(true)
      .describe('Strong input channels first, with group parameters from the original weights.'),
    trueSequential: z
      .boolean()
      .default(true)
      .describe('Each layer sees what the layers quantized before it really give.'),
    scaleSearch: z
      .boolean()
      .default(false)
      .describe('Group parameters of least squared error instead of the range.'),
  }),
  step('quantize-awq', 'Scales strong input channels up before rounding, then clips (AWQ).', {
    ...blockwise,
    symmetric: symmetric(false),
    steps: z.int().min(1).max(100).default(20).describe('Exponents tried between 0 and 1.'),
    clip: z.boolean().default(true).describe('Search how far to clip each group.'),
  }),
  step('quantize-hqq', 'Improves float zero points by half-quadratic steps (HQQ). No data.', {
    bits: z
      .literal([2, 4])
      .default(4)
      .describe('Bits per weight; the runtime takes float zero points at 2 and 4 only.'),
    groupSize,
    accuracy,
    iterations: z.int().min(1).max(100).default(20).describe('At most so many improvements.'),
    targets: targets(blocks),
  }),
  step('quantize-embedding', 'Quantizes the embedding; a tied output matrix shares the copy.', {
    bits: z.literal([4, 8]).default(8).describe('Bits per weight of the embedding.'),
    groupSize,
    symmetric: symmetric(false),
    accuracy,
    head: z
      .boolean()
      .default(true)
      .describe('Let a tied output matrix use the quantized copy. Without it both are stored.'),
  }),
  step('quantize-int8-dynamic', '8-bit weights, activations rounded to 8 bit as they come.', {
    perChannel: z.boolean().default(true).describe('One scale per output channel, not per matrix.'),
    weights: z
      .enum(['uint8', 'int8-reduced'])
      .default('uint8')
      .describe(
        '`uint8` with zero point 128 is exact everywhere; `int8-reduced` uses 7 bits. Full int8 overflows on x64 without VNNI and is not offered.',
      ),
    targets: targets(blocks),
  }),
  step('quantize-int8-static', '8-bit weights and activations, ranges fixed by calibration.', {
    method: z
      .enum(['min-max', 'moving-average', 'percentile', 'entropy'])
      .default('min-max')
      .describe('How the range of an activation is chosen.'),
    percentile: z
      .number()
      .min(50)
      .max(100)
      .default(99.999)
      .describe('Share of the values kept in percent, for the method `percentile`.'),
    targets: targets(blocks),
  }),
  step(
    'smooth-quant',
    'Moves outliers from activations into weights; changes no result by itself.',
    {
      alpha: share
        .default(0.5)
        .describe('How much difficulty moves: 0 none, 1 all. 0.85 suits Llama 2, 0.8 Mistral.'),
    },
  ),
  step('quantize-mixed', 'Gives each layer the bits it needs to meet a limit at the least error.', {
    limit: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('bits-per-weight'),
          most: z.number().min(1).max(32).describe('Mean bits per weight, scales included.'),
        }),
        z.strictObject({
          kind: z.literal('bytes'),
          most: z.number().positive().describe('Bytes of all layers together.'),
        }),
        z.strictObject({
          kind: z.literal('error'),
          most: z.number().positive().describe('Sum of the errors of all layers.'),
        }),
      ])
      .default({ kind: 'bits-per-weight', most: 4.5 })
      .describe('What must hold; the other of size and error becomes as small as it can.'),
    sensitivity: z
      .enum(['weight-error', 'layer-error', 'logit-kl', 'fisher'])
      .default('fisher')
      .describe(
        'What an error costs: of the weights (no data), of the layer’s output, KL divergence of the logits for each choice (slow), or a Fisher proxy: the divergence for one small random change, scaled (nearly as good, a pass per layer).',
      ),
    choices: z
      .array(z.literal([2, 4, 8, 32]))
      .min(2)
      .default([2, 4, 8])
      .describe('Bits to choose among; 32 leaves a layer in float.'),
    method: z
      .enum(['rtn', 'kquant', 'gptq', 'hqq'])
      .default('rtn')
      .describe('How the layers are quantized once their bits are known.'),
    groupSize,
    symmetric: symmetric(false),
    accuracy,
    damping,
    targets: targets(['**']),
  }),
  step('convert-float', 'Stores weights as 16-bit floats; computing stays float32.', {
    type: z.enum(['float16', 'bfloat16']).default('float16').describe('How weights are stored.'),
    overflow: z
      .enum(['keep', 'refuse'])
      .default('keep')
      .describe('Tensors with values beyond the type stay float32 (`keep`), or the pass fails.'),
  }),
] as const;
