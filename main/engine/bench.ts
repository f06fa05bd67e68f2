import type { BenchRecord, BenchRequest } from '../../preload/contract/bench.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Core } from './core.ts';
import { openModel } from './openModel.ts';
import type { Workshop } from './ownRunner.ts';

/** How a measurement is stopped, and whom it tells how far it is. */
export interface BenchJob {
  readonly signal: AbortSignal;
  /** Of the whole measurement, 0 … 1. */
  progress(fraction: number, detail: string): void;
  log(text: string): void;
}

/** Measures speed, memory and energy of a model and keeps what it found. */
export async function runBench(
  { core }: Workshop,
  request: BenchRequest,
  { signal }: BenchJob,
): Promise<BenchRecord> {
  await checkBench(core, request, signal);
  throw new LatheError('internal', 'being rebuilt');
}

/** Refuses what cannot work: an unknown model, texts longer than the context. */
export async function checkBench(
  core: Core,
  request: BenchRequest,
  signal?: AbortSignal,
): Promise<void> {
  await openModel(core, request.model, { signal });
}
