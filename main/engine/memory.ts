import { LatheError } from '../../preload/contract/errors.ts';
import type { MemoryEstimate } from '../../preload/contract/models.ts';
import type { Manifest } from '../library/manifest.ts';

/** Graphs hold weights, cache and activations as float32. */
const bytesPerNumber = 4;

/** Tokens of one prefill run, as main/inference reads them. */
const chunk = 512;

/** Node, onnxruntime and the tokenizer before any model, as measured. */
const runtimeBytes = 150e6;

/**
 * What running a model takes, in bytes, from its sizes alone: the weights once; keys and values of
 * `context` tokens; the widest set of values alive at once while a chunk is read (scores of one
 * layer, both halves of the gated layer, a few copies of the hidden state, logits).
 */
export function estimateMemory(
  manifest: Manifest,
  context: number,
  available: number,
): MemoryEstimate {
  const { record, sizes } = manifest;
  const { hidden, inner, heads } = sizes;
  const rows = Math.min(chunk, context);
  const weights = sizes.weightBytes ?? record.parameters * bytesPerNumber;
  const cache = cacheBytes(manifest, 1, context);
  const perLayer = rows * (3 * inner + 6 * hidden) + heads * rows * context;
  const activations = (perLayer + record.vocabularySize) * bytesPerNumber;
  const total = weights + cache + activations;
  return { context, weights, cache, activations, total, available };
}

/** Keys and values of so many rows and tokens, in bytes. */
export const cacheBytes = ({ sizes }: Manifest, rows: number, tokens: number): number =>
  sizes.cachePerToken * bytesPerNumber * rows * tokens;

/**
 * Throws `memory_limit` when a model cannot fit: its weights and a short conversation alone, or so
 * many bytes of keys and values, are more than the limit. A long one may still reach the limit while
 * it grows.
 */
export function refuseTooLarge(manifest: Manifest, limit: number, cache = 0): MemoryEstimate {
  const context = Math.min(chunk, manifest.record.contextLength);
  const short = estimateMemory(manifest, context, limit);
  const more = Math.max(0, cache - short.cache);
  const estimate = { ...short, cache: short.cache + more, total: short.total + more };
  if (estimate.total + runtimeBytes <= limit) return estimate;
  throw new LatheError(
    'memory_limit',
    `${manifest.record.name} needs about ${gigabytes(estimate.total + runtimeBytes)}, a runner may use ${gigabytes(limit)}`,
    { value: String(estimate.total), next: ['choose-model'] },
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
