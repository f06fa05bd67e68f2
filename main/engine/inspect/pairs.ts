import type { Progress } from '../../../preload/contract/models.ts';
import { otherTokens } from '../../evaluation/documents.ts';
import type { Manifest } from '../../library/manifest.ts';
import type { Core } from '../core.ts';
import { refuseTooLarge } from '../memory.ts';
import { opening } from '../openModel.ts';

/** Two models to be compared. */
export interface Pair {
  readonly base: Manifest;
  readonly variant: Manifest;
}

/** Opens two models; `usage` where their vocabularies cannot be the same. */
export async function* openingPair(
  core: Core,
  models: { readonly base: string; readonly variant: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Progress, Pair> {
  const base = yield* opening(core, models.base, signal);
  const variant = yield* opening(core, models.variant, signal);
  const sizes = [base, variant].map(({ record }) => record.vocabularySize);
  if (sizes[0] !== sizes[1]) throw otherTokens(sizes);
  return { base, variant };
}

/** What two models take in one process; `memory_limit` where they do not fit into it together. */
export function needsOf(core: Core, { base, variant }: Pair): number {
  const { memoryLimitBytes } = core.settings();
  const { total } = refuseTooLarge(variant, memoryLimitBytes);
  return total + refuseTooLarge(base, memoryLimitBytes - total).total;
}
