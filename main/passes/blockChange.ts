import type { Model } from '../onnx/model.ts';
import type { BlockWalk } from './pass.ts';

/** Root mean square norm of the stream before the next block. */
export async function streamNorm(walk: BlockWalk): Promise<number> {
  let squares = 0;
  let tokens = 0;
  await walk.hidden((_, { rows, data }) => {
    for (let i = 0; i < data.length; i++) squares += data[i] * data[i];
    tokens += rows;
  });
  return tokens === 0 ? 0 : Math.sqrt(squares / tokens);
}

/** ‖y − ŷ‖ / ‖y‖ of a value over calibration tokens, in a block as it is and as it is to be. */
export async function outputChange(
  walk: BlockWalk,
  before: Model,
  after: Model,
  value: string,
): Promise<number> {
  const expected: Float32Array[] = [];
  await walk.inputs(before, [value], (_, { data }) => {
    expected.push(data.slice());
  });
  const whole = joined(expected);
  let at = 0;
  let signal = 0;
  let noise = 0;
  // The smaller block may come in larger batches: tokens are counted, not batches.
  await walk.inputs(after, [value], (_, { data }) => {
    for (let i = 0; i < data.length; i++, at++) {
      signal += whole[at] * whole[at];
      noise += (whole[at] - data[i]) ** 2;
    }
  });
  return noise === 0 ? 0 : Math.sqrt(noise / signal);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
