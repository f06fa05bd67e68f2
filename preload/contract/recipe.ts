import * as z from 'zod';

/** Share of something, none to all. */
const share = z.number().min(0).max(1);

const targets = (standard: readonly string[]) =>
  z
    .array(z.string().min(1).max(200))
    .min(1)
    .default([...standard])
    .describe(
      'Which linear layers, by hook name: `blocks.*.mlp.*`, `blocks.3.attn.qkv`, `lm_head`. `*` stands for one segment or a part of it, `**` for any number, `!` before a pattern leaves out. Layers that are stored in another form already (quantized, factored) are left out.',
    );

/** Every matrix of the blocks, not the output matrix. */
const blocks = ['blocks.**'];

const bits = z
  .literal([2, 4, 8])
  .default(4)
  .describe('Bits per weight. 4 is the usual choice; 2 needs a large model or a small group.');
const groupSize = z
  .literal([16, 32, 64, 128, 256])
  .default(32)
  .describe(
    'Consecutive input channels that share one scale. Smaller is more accurate and larger on disk; below a billion parameters 32 is clearly better than 128.',
  );
const symmetric = (standard: boolean) =>
  z
    .boolean()
    .default(standard)
    .describe('No zero points: the middle code stands for 0. Slightly smaller, less accurate.');
const accuracy = z
  .enum(['fast', 'exact'])
  .default('fast')
  .describe(
    '`fast` rounds activations to 8 bit while multiplying (accuracy level 4, about 0.5 % error); `exact` multiplies in float32 (level 1).',
  );
const format = z
  .enum(['matmulnbits', 'qdq'])
  .default('matmulnbits')
  .describe(
    '`matmulnbits` is the operator of onnxruntime, fastest; `qdq` is standard ONNX (DequantizeLinear with blocks, opset 21) for other runtimes.',
  );

const blockwise = { bits, groupSize, accuracy, format, targets: targets(blocks) };

const damping = z
  .number()
  .gt(0)
  .max(1)
  .default(0.01)
  .describe(
    'Added to the diagonal of the Hessian, as a share of its mean; raised if it is needed.',
  );
const blockSize = z
  .int()
  .min(1)
  .max(4096)
  .default(128)
  .describe('Columns worked on between two large products. Changes speed, not results.');
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

const step = <Name extends string, Shape extends z.core.$ZodLooseShape>(
  name: Name,
  description: string,
  shape: Shape,
) =>
  z.strictObject({ pass: z.literal(name).describe(description), ...shape }).describe(description);

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

const stepSchemas = [
  step('fuse', 'Turns any graph of the Llama kind into the fused form, which is fast.', {}),
  step('unfuse', 'Turns the fused form into plain operators, which show every inner value.', {}),
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

/** One pass with its options. */
export const stepSchema = z.discriminatedUnion('pass', stepSchemas);
export type Step = z.infer<typeof stepSchema>;
/** A step as it may be written: options that have a default may be left out. */
export type StepInput = z.input<typeof stepSchema>;
/** Name of a pass. */
export type PassName = Step['pass'];
/** The options of one pass. */
export type StepOf<Name extends PassName> = Extract<Step, { pass: Name }>;

/** The text whose activations calibrated passes look at. */
export const calibrationOptionsSchema = z
  .strictObject({
    data: z
      .string()
      .min(1)
      .default('stories')
      .describe('Name of a built-in set, or the path of a text file in UTF-8.'),
    sequences: z.int().min(1).max(4096).default(64).describe('How many pieces of the text.'),
    length: z.int().min(8).max(8192).default(256).describe('Tokens of each piece.'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Chooses the pieces.'),
  })
  .describe('The text whose activations calibrated passes look at.');
export type CalibrationOptions = z.infer<typeof calibrationOptionsSchema>;

/** What turns a model into a variant. */
export const recipeSchema = z
  .strictObject({
    name: z.string().min(1).max(120).describe('Names the recipe and, by default, the variant.'),
    description: z.string().max(2000).optional().describe('What it is good for, in a sentence.'),
    calibration: calibrationOptionsSchema.prefault({}),
    passes: z.array(stepSchema).min(1).max(100).describe('Run in this order.'),
  })
  .describe('A list of passes that turns a model into a variant.');
export type Recipe = z.infer<typeof recipeSchema>;
export type RecipeInput = z.input<typeof recipeSchema>;

/** The schema for editors: completion, hover texts, errors in place. */
export function recipeJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(recipeSchema, { io: 'input', target: 'draft-7' });
}

/** What a pass did to one layer. */
export const layerReportSchema = z.object({
  /** Hook name: `blocks.3.mlp.down`. */
  layer: z.string(),
  /**
   * `output`: ‖XW − XŴ‖ / ‖XW‖ over calibration tokens; `weight`: ‖W − Ŵ‖ / ‖W‖. Both before and
   * after are of this measure.
   */
  measure: z.enum(['output', 'weight']),
  /** Error of the simplest method (or of the layer as it came); null where there is none to tell. */
  errorBefore: z.number().nullable(),
  errorAfter: z.number().nullable(),
  /** Bits per weight of the result, scales and zero points included. */
  bits: z.number(),
  bytesBefore: z.number(),
  bytes: z.number(),
  seconds: z.number(),
  note: z.string().optional(),
  /** How sensitive the layer is: what each number of bits would take and cost (`quantize-mixed`). */
  sensitivity: z
    .array(z.object({ bits: z.number(), bytes: z.number(), error: z.number() }))
    .optional(),
});
export type LayerReport = z.infer<typeof layerReportSchema>;

/** What one step of a recipe did. */
export const passReportSchema = z.object({
  /** Options as they were used. */
  step: stepSchema,
  seconds: z.number(),
  /** Bytes of all constants of the graph. */
  bytesBefore: z.number(),
  bytes: z.number(),
  layers: z.array(layerReportSchema),
  notes: z.array(z.string()),
});
export type PassReport = z.infer<typeof passReportSchema>;

/** What a dry run predicts of one step. */
export const stepEstimateSchema = z.object({
  pass: z.string(),
  /** Bytes of the model after it. */
  bytes: z.number(),
  /** Most memory the step takes besides the model’s mapped weights. */
  peakBytes: z.number(),
  seconds: z.number(),
});
export type StepEstimate = z.infer<typeof stepEstimateSchema>;

/** What a dry run predicts of a recipe. */
export const recipeEstimateSchema = z.object({
  steps: z.array(stepEstimateSchema),
  bytesBefore: z.number(),
  bytes: z.number(),
  peakBytes: z.number(),
  seconds: z.number(),
});
export type RecipeEstimate = z.infer<typeof recipeEstimateSchema>;

/** Whether a step looks at activations of calibration text. */
export function needsCalibration(one: Step): boolean {
  switch (one.pass) {
    case 'quantize-gptq':
    case 'quantize-awq':
    case 'quantize-int8-static':
    case 'smooth-quant':
    case 'prune-wanda':
    case 'prune-sparsegpt':
      return true;
    case 'quantize-kquant':
      return one.importance;
    case 'quantize-mixed':
      return one.sensitivity !== 'weight-error' || one.method === 'gptq';
    case 'prune-heads':
    case 'prune-neurons':
      return one.criterion === 'activation';
    case 'prune-layers':
      return one.layers === undefined;
    case 'low-rank':
      return one.whiten;
    default:
      return false;
  }
}
