import type { LayerReport, StepEstimate } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import type { Quantized, ZeroPoints } from '../numeric/quantization/quantized.ts';
import { blockwiseBytes, storeBlocks, type BlockwiseOptions } from './blockwise.ts';
import { readDecoder } from './decoder.ts';
import { edited, weightBytes, type Edit } from './edit.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import type { PassContext, PassInput, PassOutput } from './pass.ts';
import { layerReport, type Loss } from './reports.ts';
import { targetedLinears } from './targets.ts';

/** Options that all passes which store layers in blocks have. */
export type EachOptions = BlockwiseOptions & { readonly targets: readonly string[] };

/** The layers that a step asks for; `usage` or `graph_invalid` where it cannot work on this graph. */
export function chosenLinears({ model }: PassInput, targets: readonly string[]): FloatLinear[] {
  return targetedLinears(readDecoder(model), targets);
}

/** Runs a method that looks at one layer's weights alone over all chosen layers. */
export async function quantizeEach(
  input: PassInput,
  options: EachOptions,
  context: PassContext,
  quantize: (weight: Matrix<Float32Array>) => Promise<{ quantized: Quantized; loss: Loss }>,
): Promise<PassOutput> {
  const linears = chosenLinears(input, options.targets);
  const total = linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const edits: Edit[] = [];
  const layers: LayerReport[] = [];
  let done = 0;
  for (const linear of linears) {
    const started = performance.now();
    context.progress(done / total, linear.name);
    const { quantized, loss } = await quantize(readWeight(linear));
    const { edit, bytes } = await storeBlocks(linear, quantized, options, context.signal);
    const report = layerReport(linear, bytes, loss, started);
    edits.push(edit);
    layers.push(report);
    context.layer(report);
    done += linear.rows * linear.columns;
  }
  const model = edited(input.model, ...edits);
  return { model, config: input.config, layers, notes: formatNotes(options) };
}

/** What to say about the format that was chosen. */
export function formatNotes({ bits, accuracy, format }: BlockwiseOptions): string[] {
  if (format === 'matmulnbits') return [];
  return [
    ...(accuracy === 'fast'
      ? [
          'QDQ cannot ask for 8-bit activations: Lathe runs it exactly, other runtimes as they like.',
        ]
      : []),
    ...(bits === 2 ? ['QDQ stores 2-bit codes in 4 bits: the file is as large as with 4.'] : []),
  ];
}

/** Size from shapes; time and memory from what was measured per weight on one core. */
export function estimateEach(
  input: PassInput,
  options: EachOptions,
  zeroPoints: ZeroPoints['kind'],
  nanosecondsPerWeight: number,
): Omit<StepEstimate, 'pass'> {
  const linears = chosenLinears(input, options.targets);
  const sizes = linears.map(({ rows, columns }) => rows * columns);
  const bytes = blockBytes(linears, options, zeroPoints);
  return {
    bytes: weightBytes(input.model) + bytes.added - bytes.freed,
    peakBytes: bytes.added + 12 * Math.max(...sizes),
    seconds: sizes.reduce((sum, size) => sum + size, 0) * nanosecondsPerWeight * 1e-9,
  };
}

/** Bytes that storing layers in blocks adds and frees; a table that the embedding uses stays. */
export function blockBytes(
  linears: readonly FloatLinear[],
  options: Pick<BlockwiseOptions, 'bits' | 'groupSize' | 'format'>,
  zeroPoints: ZeroPoints['kind'],
): { added: number; freed: number } {
  let added = 0;
  let freed = 0;
  for (const linear of linears) {
    added += blockwiseBytes(linear, options, zeroPoints);
    if (!linear.shared) freed += linear.weight.bytes.length;
  }
  return { added, freed };
}
