import type { Head } from '../../preload/contract/inspect/capture.ts';
import type { ScoreRule } from '../passes/exposeAttention.ts';

/** Queries, keys and values of a layer, which its patterns are computed from when they are asked for. */
export interface AttentionParts {
  readonly kind: 'parts';
  readonly rule: ScoreRule;
  readonly headDim: number;
  /** After rotary embedding, [tokens, heads · headDim]. */
  readonly query: Float32Array;
  /** After rotary embedding, [kvHeads, tokens, headDim]. */
  readonly key: Float32Array;
  /** [kvHeads, tokens, headDim]. */
  readonly value: Float32Array;
}

/**
 * Scores as the graph computed them, [heads, tokens, tokens], where more goes into them than queries
 * and keys; those behind the diagonal are −∞.
 */
export interface AttentionScores {
  readonly kind: 'scores';
  readonly scores: Float32Array;
  /** A score of each head for a place that is not there, which takes a share of the softmax. */
  readonly sinks: Float32Array | null;
}

/** What is kept of one layer. */
export interface LayerCapture {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly attention: AttentionParts | AttentionScores;
}

/** One run of a model and what it computed. */
export interface Captured {
  readonly ids: readonly number[];
  readonly ablated: readonly Head[];
  readonly layers: readonly LayerCapture[];
  /**
   * The residual stream [tokens, hidden]: behind the embedding, then behind each block. Empty where
   * the graph does not name it.
   */
  readonly streams: readonly Float32Array[];
  /** What each MLP wrote into the stream, [tokens, hidden]; empty likewise. */
  readonly mlp: readonly Float32Array[];
  /** What all of this holds in memory. */
  readonly bytes: number;
  /** The run that kept it, and the same run without. */
  readonly ms: { readonly captured: number; readonly plain: number };
}

/** Gives the memory of a capture back now, not when it is collected; it is not to be used any more. */
export function freeCaptured({ layers, streams, mlp }: Captured): void {
  const kept = layers.flatMap(({ attention }) =>
    attention.kind === 'parts'
      ? [attention.query, attention.key, attention.value]
      : [attention.scores],
  );
  for (const { buffer } of [...kept, ...streams, ...mlp]) {
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}
