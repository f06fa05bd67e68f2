import { logSumExp } from '../../inference/sampling/logSoftmax.ts';
import { float32, floatsOf, type Session, type Tensors } from '../../inference/session.ts';
import { expOfNegative } from '../../numeric/exp.ts';
import type { Matrix } from '../../numeric/linearAlgebra/matrix.ts';
import type { Model, ValueInfo } from '../../onnx/model.ts';
import type { Trial, TrialConstant, TrialOptions } from '../../passes/pass.ts';
import { batchesFor, feedsFor, type Batch } from './batches.ts';
import type { Sequences } from './sequences.ts';
import { openPart, type SessionPlace } from './sessions.ts';
import { tapped } from '../../passes/tapped.ts';

/** Tokens that a trial looks at: enough to tell good from bad, few enough to try twenty times. */
const TRIAL_TOKENS = 2048;
/** Logits kept for comparison, in elements. */
const MOST_LOGITS = 2 ** 24;

/** What a trial needs of the walk it is made in. */
interface Surroundings {
  readonly signal: AbortSignal;
  readonly sequences: Sequences;
  /** Runs the first sequences up to the value that the trial begins with. */
  readonly capture: (
    sequences: number,
    use: (batch: Batch, rows: Matrix<Float32Array>) => void,
  ) => Promise<void>;
}

/** Mean squared change of a value within a block, over a sample of the tokens. */
export async function openBlockTrial(
  part: Model,
  { from, to, constants }: TrialOptions,
  place: SessionPlace,
  { signal, sequences, capture }: Surroundings,
): Promise<Trial> {
  const { length, ids } = sequences;
  const count = Math.min(ids.length, Math.max(1, Math.floor(TRIAL_TOKENS / length)));
  let states = new Float32Array(0);
  let width = 0;
  await capture(count, ({ first }, { columns, data }) => {
    width = columns;
    if (states.length === 0) states = new Float32Array(count * length * columns);
    states.set(data, first * length * columns);
  });
  const begin: ValueInfo = {
    name: from,
    type: {
      kind: 'tensor',
      dataType: 'float32',
      shape: ['batch_size', 'sequence_length', width],
    },
  };
  const cut = tapped(part, [to], [begin, ...constants.map(portOf)]);
  const { session, close } = await openPart(cut, place);
  const size = length * width;
  const run = async (
    replaced: ReadonlyMap<string, Float32Array>,
    use: (batch: Batch, values: Float32Array) => void,
  ): Promise<void> => {
    for await (const batch of batchesFor(part, sequences, count, signal)) {
      const rows = states.subarray(batch.first * size, (batch.first + batch.rows) * size);
      const outputs = await session.run(
        {
          ...feedsFor(session, batch),
          ...constantFeeds(session, constants, replaced),
          [from]: float32(rows, [batch.rows, length, width]),
        },
        [to],
      );
      use(batch, floatsOf(outputs[to]));
    }
  };
  const originals = new Map<number, Float32Array>();
  await run(new Map(), ({ first }, values) => originals.set(first, values));
  return {
    async change(replaced) {
      let sum = 0;
      let elements = 0;
      await run(replaced, ({ first }, values) => {
        const original = originals.get(first) ?? values;
        for (let i = 0; i < values.length; i++) sum += (values[i] - original[i]) ** 2;
        elements += values.length;
      });
      return sum / elements;
    },
    close,
  };
}

/**
 * Mean KL divergence of the logits in nats, original ‖ changed, over a sample of the tokens.
 * float64 over the vocabulary.
 */
export async function openLogitTrial(
  model: Model,
  constants: readonly TrialConstant[],
  place: SessionPlace,
  { signal, sequences }: Omit<Surroundings, 'capture'>,
): Promise<Trial> {
  const cut = tapped(model, ['logits'], constants.map(portOf));
  const { length, ids } = sequences;
  const vocabulary = widthOf(model);
  const tokens = Math.min(TRIAL_TOKENS, MOST_LOGITS / vocabulary);
  const count = Math.min(ids.length, Math.max(1, Math.floor(tokens / length)));
  const { session, close } = await openPart(cut, place);
  const originals = new Map<number, Float32Array>();
  const run = async (
    replaced: ReadonlyMap<string, Float32Array>,
    use: (batch: Batch, logits: Float32Array) => void,
  ): Promise<void> => {
    for await (const batch of batchesFor(model, sequences, count, signal)) {
      const feeds = {
        ...feedsFor(session, batch),
        ...constantFeeds(session, constants, replaced),
      };
      use(batch, floatsOf((await session.run(feeds, ['logits']))['logits']));
    }
  };
  await run(new Map(), ({ first }, logits) => originals.set(first, logits));
  return {
    async change(replaced) {
      let sum = 0;
      let positions = 0;
      await run(replaced, ({ first }, logits) => {
        const original = originals.get(first) ?? logits;
        for (let at = 0; at < logits.length; at += vocabulary) {
          sum += divergence(original, logits, at, vocabulary);
          positions++;
        }
      });
      return Math.max(0, sum / positions);
    },
    close,
  };
}

/** Size of the vocabulary, as the graph's output says. */
function widthOf({ graph }: Model): number {
  const type = graph.outputs.find(({ name }) => name === 'logits')?.type;
  return Number(type?.kind === 'tensor' ? type.shape?.at(-1) : undefined);
}

/** Σ p·(log p - log q) with p and q the softmax of `size` logits from `at` on. */
function divergence(p: Float32Array, q: Float32Array, at: number, size: number): number {
  const pSum = logSumExp(p.subarray(at, at + size));
  const qSum = logSumExp(q.subarray(at, at + size));
  let sum = 0;
  for (let i = at; i < at + size; i++) {
    sum += expOfNegative(p[i] - pSum) * (p[i] - pSum - q[i] + qSum);
  }
  return sum;
}

function portOf({ name, dims }: TrialConstant): ValueInfo {
  return { name, type: { kind: 'tensor', dataType: 'float32', shape: dims } };
}

/** The constants that the part takes, replaced where that is asked for. */
function constantFeeds(
  session: Session,
  constants: readonly TrialConstant[],
  replaced: ReadonlyMap<string, Float32Array>,
): Tensors {
  const taken = new Set(session.inputs.map(({ name }) => name));
  return Object.fromEntries(
    constants.flatMap(({ name, dims, values }) =>
      taken.has(name) ? [[name, float32(replaced.get(name) ?? values, dims)] as const] : [],
    ),
  );
}
