import type { AttentionSite } from '../passes/exposeAttention.ts';
import type { VisitRows } from './readThrough.ts';

/** Scores that a piece gives at most, in elements: 128 MB. */
const MOST_SCORES = 2 ** 25;
const FEWEST_ROWS = 8;

/** Scores of whole texts, put together from pieces. */
export class ScoreStore {
  private readonly kept: Map<string, { heads: number; data: Float32Array }>;
  private readonly tokens: number;

  constructor(sites: readonly AttentionSite[], tokens: number) {
    this.tokens = tokens;
    this.kept = new Map(
      sites.flatMap(({ parts, scores, heads }) =>
        parts === null
          ? [[scores, { heads, data: new Float32Array(heads * tokens ** 2).fill(-Infinity) }]]
          : [],
      ),
    );
  }

  /** Scores of all layers come at once, so a piece of the text is to give few. */
  piece(): { piece?: number } {
    let heads = 0;
    for (const kept of this.kept.values()) heads += kept.heads;
    if (heads === 0) return {};
    return { piece: Math.max(FEWEST_ROWS, Math.floor(MOST_SCORES / (heads * this.tokens))) };
  }

  of(name: string): Float32Array {
    const found = this.kept.get(name);
    if (found === undefined) throw new RangeError(`not kept: ${name}`);
    return found.data;
  }

  /** The scores of a piece, [1, heads, rows, keys]. */
  readonly take: VisitRows = (name, { data, dims }, first) => {
    if (!(data instanceof Float32Array)) throw new RangeError(`cast to float32: ${name}`);
    const kept = this.of(name);
    const [heads, rows, keys] = dims.slice(-3);
    for (let head = 0; head < heads; head++) {
      for (let row = 0; row < rows; row++) {
        const from = (head * rows + row) * keys;
        // Keys behind the row are masked, whatever number the graph writes there.
        const some = data.subarray(from, from + Math.min(keys, first + row + 1));
        kept.set(some, (head * this.tokens + first + row) * this.tokens);
      }
    }
  };
}
