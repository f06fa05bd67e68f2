import { LatheError } from '../../preload/contract/errors.ts';
import type { Direct } from '../../preload/contract/inspect/lens.ts';
import { float32, floatsOf } from '../inference/session.ts';
import { readDecoder } from '../passes/decoder.ts';
import { readFloats } from '../passes/linear.ts';
import { tapped } from '../passes/tapped.ts';
import type { Captured, LayerCapture } from './captured.ts';
import type { Patterns } from './patterns.ts';
import { rootMeanSquare, type Readout } from './readout.ts';
import type { OpenPart, Subject } from './subject.ts';

/** What taking a logit apart works with. */
interface DirectTools {
  readonly subject: Subject;
  readonly patterns: Patterns;
  readonly readout: Readout;
  readonly open: OpenPart;
}

/**
 * Direct logit attribution (Elhage et al. 2021, "A mathematical framework for transformer circuits"):
 * the logit of a token as a sum over what the embedding, each head and each MLP wrote into the
 * residual stream. The last norm is held at the scale that it had. Every part goes through the
 * model's own output matrices, however they are stored; what their rounding of activations and their
 * biases add is the rest.
 */
export async function directLogits(
  captured: Captured,
  { subject, patterns, readout, open }: DirectTools,
  { position, token }: { position: number; token: number },
  signal?: AbortSignal,
): Promise<Omit<Direct, 'token'>> {
  const { layers, streams, mlp } = captured;
  const { hiddenSize } = subject;
  const { finalNorm } = readDecoder(subject.model);
  const at = (stream: Float32Array): Float32Array =>
    stream.subarray(position * hiddenSize, (position + 1) * hiddenSize);
  const final = at(streams[streams.length - 1]);
  const gain = readFloats(finalNorm.weight);
  const scale = rootMeanSquare(final, finalNorm.epsilon);
  const mixed: Float32Array[] = [];
  for (const layer of layers.keys()) {
    mixed.push(await mixedValues(captured, patterns, layer, position));
  }
  const heads = await throughOutputs(subject, open, layers, mixed);

  // One row each: nothing, the whole stream, embedding, then each block's heads and MLP.
  const parts = [
    new Float32Array(hiddenSize),
    final,
    at(streams[0]),
    ...layers.flatMap((_, layer) => [...heads[layer], at(mlp[layer])]),
  ];
  const rows = new Float32Array(parts.length * hiddenSize);
  for (const [row, part] of parts.entries()) {
    for (let i = 0; i < hiddenSize; i++) rows[row * hiddenSize + i] = (part[i] / scale) * gain[i];
  }
  const logits = [...(await readout.logitsOf(rows, token, signal))];
  const [nothing = 0, logit = 0, ...shares] = logits;
  const contributions = shares.map((share) => share - nothing);
  const embedding = contributions[0];
  let next = 1;
  const result = layers.map(({ heads: count }) => {
    const some = contributions.slice(next, next + count);
    next += count + 1;
    return { heads: some, mlp: contributions[next - 1] };
  });
  const sum = contributions.reduce((a, b) => a + b, 0);
  return { logit, embedding, layers: result, rest: logit - sum };
}

/** Σⱼ p(position, j) · v(j) of each head, [heads · headDim]; zeros for those switched off. */
async function mixedValues(
  captured: Captured,
  patterns: Patterns,
  layer: number,
  position: number,
): Promise<Float32Array> {
  const { heads, keyValueHeads, attention } = captured.layers[layer];
  if (attention.kind === 'scores') {
    throw new LatheError(
      'graph_invalid',
      `the values of this attention are not kept: layer ${layer}`,
    );
  }
  const { value, headDim: size } = attention;
  const tokens = captured.ids.length;
  const off = captured.ablated.filter((head) => head.layer === layer).map(({ head }) => head);
  const z = new Float32Array(heads * size);
  const rows = [position, position + 1] as const;
  await patterns.each(
    captured,
    layer,
    ({ keys, data }) => {
      for (let head = 0; head < heads; head++) {
        if (off.includes(head)) continue;
        const group = Math.floor((head * keyValueHeads) / heads);
        const target = new Float64Array(size);
        for (let key = 0; key < keys; key++) {
          const p = data[head * keys + key];
          const start = (group * tokens + key) * size;
          for (let i = 0; i < size; i++) target[i] += p * value[start + i];
        }
        z.set(target, head * size);
      }
    },
    { rows },
  );
  return z;
}

const input = (layer: number): string => `blocks.${layer}.attn.heads`;
const output = (layer: number): string => `blocks.${layer}.attn_out`;

/** What each head writes through its layer's output matrix: by layer, by head, [hidden]. */
async function throughOutputs(
  { model, hiddenSize }: Subject,
  open: OpenPart,
  layers: readonly LayerCapture[],
  mixed: readonly Float32Array[],
): Promise<Float32Array[][]> {
  const fed = layers.map((_, layer) => ({
    name: input(layer),
    type: {
      kind: 'tensor',
      dataType: 'float32',
      shape: [1, `rows_${layer}`, mixed[layer].length],
    } as const,
  }));
  const { session, close } = await open(
    tapped(
      model,
      layers.map((_, layer) => output(layer)),
      fed,
    ),
  );
  try {
    const feeds = Object.fromEntries(
      layers.map(({ heads }, layer) => {
        // The last row is nothing: what it gives is the bias.
        const width = mixed[layer].length;
        const rows = new Float32Array((heads + 1) * width);
        const size = width / heads;
        for (let head = 0; head < heads; head++) {
          const z = mixed[layer].subarray(head * size, (head + 1) * size);
          rows.set(z, head * width + head * size);
        }
        return [input(layer), float32(rows, [1, heads + 1, width])];
      }),
    );
    const results = await session.run(
      feeds,
      layers.map((_, layer) => output(layer)),
    );
    return layers.map(({ heads }, layer) => {
      const data = floatsOf(results[output(layer)]);
      const bias = data.subarray(heads * hiddenSize);
      return Array.from({ length: heads }, (_, head) =>
        data.slice(head * hiddenSize, (head + 1) * hiddenSize).map((value, i) => value - bias[i]),
      );
    });
  } finally {
    await close();
  }
}
