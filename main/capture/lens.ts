import type { Lens } from '../../preload/contract/inspect/lens.ts';
import type { Captured } from './captured.ts';
import type { Readout } from './readout.ts';

/**
 * The logit lens (nostalgebraist 2020): what the model would say if it ended behind each block, the
 * last norm and the output matrix over each residual stream.
 */
export async function logitLens(
  { ids, streams }: Captured,
  readout: Readout,
  top: number,
  signal?: AbortSignal,
): Promise<Omit<Lens, 'texts'>> {
  const positions = ids.length;
  const rows = streams.length;
  const found = {
    ids: new Int32Array(rows * positions * top),
    probabilities: new Float32Array(rows * positions * top),
    final: new Float32Array(rows * positions),
    norms: new Float32Array(rows * positions),
  };
  let final = new Int32Array(positions);
  // The last row comes first: it says which token the others are asked about.
  for (let row = rows - 1; row >= 0; row--) {
    const stream = streams[row];
    const start = row * positions;
    found.norms.set(lengths(stream, positions), start);
    const wanted = row === rows - 1 ? new Int32Array(positions) : final;
    await readout.read(readout.normalized(stream), { top, wanted, signal }, (first, some) => {
      found.ids.set(some.ids, (start + first) * top);
      found.probabilities.set(some.logprobs.map(Math.exp), (start + first) * top);
      found.final.set(some.wanted.map(Math.exp), start + first);
    });
    if (row < rows - 1) continue;
    final = final.map((_, at) => found.ids[(start + at) * top]);
    for (let at = 0; at < positions; at++) {
      found.final[start + at] = found.probabilities[(start + at) * top];
    }
  }
  return { rows, positions, top, ...found };
}

/** Euclidean length of every row. */
function lengths(stream: Float32Array, rows: number): Float32Array {
  const width = stream.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let squares = 0;
    for (let at = row * width; at < (row + 1) * width; at++) squares += stream[at] ** 2;
    return Math.sqrt(squares);
  });
}
