/** Attention of one sequence as its definition says, in float64. */
export interface AttentionCase {
  readonly heads: number;
  readonly kvHeads: number;
  readonly size: number;
  readonly rows: number;
  readonly keys: number;
  /** [heads, rows, size], [kvHeads, keys, size] twice: after rotary embedding, the cache included. */
  readonly query: ArrayLike<number>;
  readonly key: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly scale: number;
  readonly softcap?: number;
  readonly causal?: boolean;
  /** A row looks at itself and so many less one before it. */
  readonly window?: number;
  /** Added to the score behind the soft cap; −Infinity excludes. */
  readonly bias?: (head: number, row: number, key: number) => number;
  readonly sinks?: ArrayLike<number>;
}

/** Probabilities [heads, rows, keys] and what comes out [rows, heads · size]. */
export function referenceAttention(options: AttentionCase): {
  pattern: Float64Array;
  output: Float64Array;
} {
  const { heads, kvHeads, size, rows, keys, query, key, value, scale } = options;
  const pattern = new Float64Array(heads * rows * keys);
  const output = new Float64Array(rows * heads * size);
  for (let head = 0; head < heads; head++) {
    const group = Math.floor(head / (heads / kvHeads));
    for (let row = 0; row < rows; row++) {
      const scores = Array.from({ length: keys }, (_, at) => {
        const position = keys - rows + row;
        if (options.causal === true && at > position) return -Infinity;
        if (options.window !== undefined && at <= position - options.window) return -Infinity;
        let dot = 0;
        for (let i = 0; i < size; i++) {
          dot += query[(head * rows + row) * size + i] * key[(group * keys + at) * size + i];
        }
        const score = dot * scale;
        const { softcap = 0 } = options;
        const capped = softcap === 0 ? score : softcap * Math.tanh(score / softcap);
        return capped + (options.bias?.(head, row, at) ?? 0);
      });
      const sink = options.sinks === undefined ? 0 : Math.exp(options.sinks[head]);
      const powers = scores.map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, sink);
      powers.forEach((power, at) => {
        const p = power / sum;
        pattern[(head * rows + row) * keys + at] = p;
        for (let i = 0; i < size; i++) {
          output[(row * heads + head) * size + i] += p * value[(group * keys + at) * size + i];
        }
      });
    }
  }
  return { pattern, output };
}
