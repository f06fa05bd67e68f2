import * as z from 'zod';

/** Share of something, none to all. */
export const share = z.number().min(0).max(1);

export const targets = (standard: readonly string[]) =>
  z
    .array(z.string().min(1).max(200))
    .min(1)
    .default([...standard])
    .describe(
      'Which linear layers, by hook name: `blocks.*.mlp.*`, `blocks.3.attn.qkv`, `lm_head`. `*` stands for one segment or a part of it, `**` for any number, `!` before a pattern leaves out. Layers that are stored in another form already (quantized, factored) are left out.',
    );

/** Every matrix of the blocks, not the output matrix. */
export const blocks = ['blocks.**'];

export const bits = z
  .literal([2, 4, 8])
  .default(4)
  .describe('Bits per weight. 4 is the usual choice; 2 needs a large model or a small group.');

export const groupSize = z
  .literal([16, 32, 64, 128, 256])
  .default(32)
  .describe(
    'Consecutive input channels that share one scale. Smaller is more accurate and larger on disk; below a billion parameters 32 is clearly better than 128.',
  );

export const symmetric = (standard: boolean) =>
  z
    .boolean()
    .default(standard)
    .describe('No zero points: the middle code stands for 0. Slightly smaller, less accurate.');

export const accuracy = z
  .enum(['fast', 'exact'])
  .default('fast')
  .describe(
    '`fast` rounds activations to 8 bit while multiplying (accuracy level 4, about 0.5 % error); `exact` multiplies in float32 (level 1).',
  );

export const format = z
  .enum(['matmulnbits', 'qdq'])
  .default('matmulnbits')
  .describe(
    '`matmulnbits` is the operator of onnxruntime, fastest; `qdq` is standard ONNX (DequantizeLinear with blocks, opset 21) for other runtimes.',
  );

export const damping = z
  .number()
  .gt(0)
  .max(1)
  .default(0.01)
  .describe(
    'Added to the diagonal of the Hessian, as a share of its mean; raised if it is needed.',
  );

export const step = <Name extends string, Shape extends z.core.$ZodLooseShape>(
  name: Name,
  description: string,
  shape: Shape,
) =>
  z.strictObject({ pass: z.literal(name).describe(description), ...shape }).describe(description);
