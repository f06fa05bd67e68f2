import type { Sheet } from '../../preload/contract/inspect/capture.ts';
import type { Captured } from './captured.ts';
import type { Patterns } from './patterns.ts';

/**
 * Thumbnails of all heads, one after the other, `size` × `size` at most: each cell holds the largest
 * probability of as many rows and columns as it takes, so that single bright points stay visible.
 */
export async function sheetOf(
  captured: Captured,
  patterns: Patterns,
  most: number,
  signal?: AbortSignal,
): Promise<Sheet> {
  const tokens = captured.ids.length;
  const cell = Math.ceil(tokens / most);
  const size = Math.ceil(tokens / cell);
  const heads = captured.layers.reduce((sum, layer) => sum + layer.heads, 0);
  const sheet = new Float32Array(heads * size * size);
  let before = 0;
  for (const [layer, { heads: count }] of captured.layers.entries()) {
    await patterns.each(
      captured,
      layer,
      ({ first, rows, keys, data }) => {
        for (let head = 0; head < count; head++) {
          for (let row = 0; row < rows; row++) {
            const from = (head * rows + row) * keys;
            const to = ((before + head) * size + Math.floor((first + row) / cell)) * size;
            pool(sheet, to, data, from, first + row + 1, cell);
          }
        }
      },
      { signal },
    );
    before += count;
  }
  return { size, data: sheet };
}

/** The largest of every `cell` values, where it is larger than what is there. */
function pool(
  to: Float32Array,
  toStart: number,
  from: Float32Array,
  fromStart: number,
  count: number,
  cell: number,
): void {
  for (let start = 0, at = toStart; start < count; start += cell, at++) {
    const end = fromStart + Math.min(start + cell, count);
    let largest = to[at];
    for (let key = fromStart + start; key < end; key++) {
      if (from[key] > largest) largest = from[key];
    }
    to[at] = largest;
  }
}
