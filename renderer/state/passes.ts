import type { PassName } from '../../preload/contract/index.ts';

/** What a pass is called in lists, and among which it stands. */
export interface PassTitle {
  readonly title: string;
  readonly group: 'Quantize weights' | 'Quantize activations' | 'Prune' | 'Store' | 'Graph form';
}

/** Every pass, in the order in which the window offers them. */
export const passTitles: Readonly<Record<PassName, PassTitle>> = {
  'quantize-rtn': { title: 'Quantize by rounding (RTN)', group: 'Quantize weights' },
  'quantize-kquant': { title: 'Quantize with scale search', group: 'Quantize weights' },
  'quantize-gptq': { title: 'Quantize with GPTQ', group: 'Quantize weights' },
  'quantize-awq': { title: 'Quantize with AWQ', group: 'Quantize weights' },
  'quantize-hqq': { title: 'Quantize with HQQ', group: 'Quantize weights' },
  'quantize-mixed': { title: 'Mixed precision', group: 'Quantize weights' },
  'quantize-embedding': { title: 'Quantize the embedding', group: 'Quantize weights' },
  'quantize-int8-dynamic': { title: 'Dynamic 8 bit', group: 'Quantize activations' },
  'quantize-int8-static': { title: 'Static 8 bit', group: 'Quantize activations' },
  'smooth-quant': { title: 'SmoothQuant', group: 'Quantize activations' },
  'prune-magnitude': { title: 'Prune by magnitude', group: 'Prune' },
  'prune-wanda': { title: 'Prune with Wanda', group: 'Prune' },
  'prune-sparsegpt': { title: 'Prune with SparseGPT', group: 'Prune' },
  'prune-heads': { title: 'Cut attention heads', group: 'Prune' },
  'prune-neurons': { title: 'Cut neurons', group: 'Prune' },
  'prune-layers': { title: 'Take out blocks', group: 'Prune' },
  'low-rank': { title: 'Low-rank factors', group: 'Prune' },
  'convert-float': { title: '16-bit floats', group: 'Store' },
  fuse: { title: 'Fuse', group: 'Graph form' },
  unfuse: { title: 'Unfuse', group: 'Graph form' },
};

// The keys of a record that is written out above.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const passNames = Object.keys(passTitles) as readonly PassName[];

/** Whether a pass of this name is known. */
export const isPassName = (name: unknown): name is PassName =>
  typeof name === 'string' && Object.hasOwn(passTitles, name);
