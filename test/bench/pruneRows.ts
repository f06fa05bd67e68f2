import type { StepInput } from '../../preload/contract/recipe.ts';

/** A row of a table: what it is called, and the passes that make it of the whole model. */
export interface BenchRow {
  readonly label: string;
  readonly passes: readonly StepInput[];
}

const shares = [0.3, 0.5, 0.7];
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Cuts a quarter of what can be cut without taking out whole blocks. */
export const quarterCut: readonly StepInput[] = [
  { pass: 'prune-heads', ratio: 0.25 },
  { pass: 'prune-neurons', ratio: 0.25 },
];

/** Everything that prunes or factors, each by itself. */
export const pruneRows: readonly BenchRow[] = [
  ...shares.flatMap((sparsity): BenchRow[] => [
    {
      label: `magnitude ${percent(sparsity)}`,
      passes: [{ pass: 'prune-magnitude', sparsity }],
    },
    { label: `Wanda ${percent(sparsity)}`, passes: [{ pass: 'prune-wanda', sparsity }] },
    { label: `SparseGPT ${percent(sparsity)}`, passes: [{ pass: 'prune-sparsegpt', sparsity }] },
  ]),
  { label: 'Wanda 2:4', passes: [{ pass: 'prune-wanda', pattern: '2:4' }] },
  { label: 'SparseGPT 2:4', passes: [{ pass: 'prune-sparsegpt', pattern: '2:4' }] },
  { label: 'SparseGPT 4:8', passes: [{ pass: 'prune-sparsegpt', pattern: '4:8' }] },
  {
    label: 'SparseGPT 50 % with 4 bit',
    passes: [{ pass: 'prune-sparsegpt', sparsity: 0.5, quantize: { bits: 4, groupSize: 32 } }],
  },
  {
    label: 'heads 25 % by magnitude',
    passes: [{ pass: 'prune-heads', ratio: 0.25, criterion: 'magnitude' }],
  },
  { label: 'heads 25 %', passes: [{ pass: 'prune-heads', ratio: 0.25 }] },
  {
    label: 'heads 25 %, across blocks',
    passes: [{ pass: 'prune-heads', ratio: 0.25, spread: 'global' }],
  },
  {
    label: 'neurons 25 % by magnitude',
    passes: [{ pass: 'prune-neurons', ratio: 0.25, criterion: 'magnitude' }],
  },
  { label: 'neurons 25 %', passes: [{ pass: 'prune-neurons', ratio: 0.25 }] },
  {
    label: 'neurons 25 %, across blocks',
    passes: [{ pass: 'prune-neurons', ratio: 0.25, spread: 'global' }],
  },
  { label: 'heads and neurons 25 %', passes: quarterCut },
  { label: '1 block of 5', passes: [{ pass: 'prune-layers', count: 1 }] },
  { label: '2 blocks of 5', passes: [{ pass: 'prune-layers', count: 2 }] },
  { label: 'low rank, 75 %', passes: [{ pass: 'low-rank', keep: 0.75 }] },
  { label: 'low rank, 75 %, plain', passes: [{ pass: 'low-rank', keep: 0.75, whiten: false }] },
];
