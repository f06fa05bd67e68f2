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

const sparsity = share.default(0.5).describe('Share of the weights to set to zero.');

const pattern = z
  .enum(['unstructured', '2:4', '4:8'])
  .default('unstructured')
  .describe(
    '`2:4` zeroes 2 of every 4 consecutive input channels, `4:8` 4 of 8; `sparsity` is then not used.',
  );

const keepFirst = z
  .int()
  .min(0)
  .default(0)
  .describe('Blocks at the beginning that stay as they are.');

const keepLast = z.int().min(0).default(0).describe('Blocks at the end that stay as they are.');

/** What a criterion of structured pruning measures. */
const criterion = z
  .enum(['magnitude', 'activation'])
  .default('activation')
  .describe(
    '`magnitude` multiplies the norms of the unit’s weights; `activation` weighs them by what calibration text sends through.',
  );

const spread = z
  .enum(['layer', 'global'])
  .default('layer')
  .describe(
    '`layer` takes the same share of every block; `global` takes the weakest units wherever they are, so blocks differ in size.',
  );

/** Passes that leave weights out. */
export const pruneSteps = [
  step(
    'prune-magnitude',
    'Zeroes the smallest weights. Makes the model neither smaller nor faster.',
    {
      sparsity,
      pattern,
      scope: z
        .enum(['layer', 'row'])
        .default('layer')
        .describe('Compare the weights of a whole layer or of each output row.'),
      targets: targets(blocks),
    },
  ),
  step(
    'prune-wanda',
    'Zeroes by |weight| · ‖input‖ (Wanda). Makes it neither smaller nor faster.',
    {
      sparsity,
      pattern,
      targets: targets(blocks),
    },
  ),
  step('prune-sparsegpt', 'Zeroes weights; those left make up for the error (SparseGPT).', {
    sparsity,
    pattern,
    damping,
    blockSize: z
      .int()
      .min(1)
      .max(4096)
      .default(128)
      .describe('Columns whose weights compete for their place, in all rows together.'),
    quantize: z
      .strictObject({ bits, groupSize, symmetric: symmetric(true), accuracy, format })
      .optional()
      .describe('Quantize the weights that are left in the same loop.'),
    targets: targets(blocks),
  }),
  step('prune-heads', 'Cuts out the weakest attention heads (whole groups with GQA).', {
    ratio: share.default(0.25).describe('Share of the heads to cut.'),
    criterion,
    spread,
    keepFirst,
    keepLast,
  }),
  step('prune-neurons', 'Cuts out the weakest neurons of the MLPs.', {
    ratio: share.default(0.25).describe('Share of the neurons to cut.'),
    criterion,
    spread,
    multipleOf: z
      .int()
      .min(1)
      .max(1024)
      .default(16)
      .describe('Keep a multiple of so many neurons, so that groups and kernels fit.'),
    keepFirst,
    keepLast,
  }),
  step('prune-layers', 'Takes out whole blocks that change the stream least (ShortGPT).', {
    count: z.int().min(1).default(2).describe('How many blocks to take out.'),
    layers: z
      .array(z.int().min(0))
      .min(1)
      .optional()
      .describe('These blocks instead of the ones of least influence; `count` is then not used.'),
    keepFirst,
    keepLast,
  }),
  step('low-rank', 'Replaces a matrix by the product of two thin ones, where that is smaller.', {
    keep: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe('Weights of the two matrices as a share of those of the one.'),
    whiten: z
      .boolean()
      .default(true)
      .describe('Minimise the error of the output on calibration text, not of the weights.'),
    damping,
    targets: targets(blocks),
  }),
] as const;
