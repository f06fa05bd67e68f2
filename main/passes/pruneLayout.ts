import { LatheError } from '../../preload/contract/errors.ts';
import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { checkSparsity, sparsityOf, type Sparsity } from '../numeric/pruning/mask.ts';
import { readDecoder } from './decoder.ts';
import type { FloatLinear } from './linear.ts';
import type { PassInput } from './pass.ts';
import { targetedLinears } from './targets.ts';

/** The passes that zero weights and leave all shapes as they are. */
export type SparseStep =
  StepOf<'prune-magnitude'> | StepOf<'prune-wanda'> | StepOf<'prune-sparsegpt'>;

/** What every such pass says. */
export const NO_GAIN =
  'Zeroed weights alone make the model neither faster nor smaller: the runtime multiplies zeros like other numbers and stores them like other numbers. They take less space only where weights are stored coded.';

const patterns = {
  '2:4': { kind: 'n:m', zeros: 2, of: 4 },
  '4:8': { kind: 'n:m', zeros: 4, of: 8 },
} as const;

/** How much of each layer a step zeroes. */
export function stepSparsity({ sparsity, pattern }: SparseStep): Sparsity {
  return pattern === 'unstructured' ? { kind: 'unstructured', share: sparsity } : patterns[pattern];
}

/**
 * The layers to prune, and a note of those left out. An output matrix that is the embedding too
 * stays: its zeros would be the embedding's.
 */
export function sparseLayers(
  { model }: PassInput,
  { targets }: SparseStep,
): { layers: FloatLinear[]; notes: string[] } {
  const chosen = targetedLinears(readDecoder(model), targets);
  const layers = chosen.filter(({ shared }) => !shared);
  const notes = chosen
    .filter(({ shared }) => shared)
    .map(({ name }) => `${name} stays as it is: it is the embedding too.`);
  return { layers, notes };
}

/** Refuses layers that are not there, shares that leave nothing, patterns that do not fit. */
export function checkSparse(input: PassInput, step: SparseStep): void {
  const { layers } = sparseLayers(input, step);
  if (layers.length === 0) {
    const value = step.targets.join(', ');
    throw new LatheError('usage', `the output matrix is the embedding too and stays: ${value}`, {
      value,
    });
  }
  const sparsity = stepSparsity(step);
  if (sparsity.kind === 'unstructured' && sparsity.share >= 1) {
    throw new LatheError(
      'usage',
      `some weights must stay, so sparsity is below 1: ${step.sparsity}`,
      {
        value: String(step.sparsity),
      },
    );
  }
  for (const { name, columns } of layers) {
    try {
      checkSparsity(sparsity, columns);
    } catch (error) {
      if (!(error instanceof LatheError)) throw error;
      throw new LatheError(error.code, `${name}: ${error.message}`, { ...error.data, value: name });
    }
  }
}

/**
 * The sparsity that zeroes the share asked for among weights that count: rows and columns that are
 * all zero (heads padded to the size the runtime wants, units that were masked) go first and free.
 * Where weights compete within their own row, other rows do not matter.
 */
export function amongUsed(
  sparsity: Sparsity,
  weight: Matrix,
  compare: 'layer' | 'row' = 'layer',
): Sparsity {
  if (sparsity.kind === 'n:m') return sparsity;
  const { rows, columns, data } = weight;
  const usedRows = new Uint8Array(rows);
  const usedColumns = new Uint8Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      if (data[at] === 0) continue;
      usedRows[row] = 1;
      usedColumns[column] = 1;
    }
  }
  const ofRows = compare === 'row' ? 1 : count(usedRows) / rows;
  const used = ofRows * (count(usedColumns) / columns);
  return { kind: 'unstructured', share: 1 - used * (1 - sparsity.share) };
}

const count = (used: Uint8Array): number => used.reduce((sum, one) => sum + one, 0);

/** How many weights are zero, for a report. */
export function zerosNote(pruned: Matrix): string {
  return `${(100 * sparsityOf(pruned)).toFixed(1)} % zeros`;
}
