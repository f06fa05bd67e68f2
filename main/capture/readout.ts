import { LatheError } from '../../preload/contract/errors.ts';
import { float32, floatsOf, int32, int64, integersOf, type Tensors } from '../inference/session.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Model, ValueInfo } from '../onnx/model.ts';
import { AddedNodes } from '../passes/addedNodes.ts';
import { readDecoder } from '../passes/decoder.ts';
import { edited } from '../passes/edit.ts';
import { readFloats } from '../passes/linear.ts';
import { headModel } from '../passes/subgraphs.ts';
import { tapped } from '../passes/tapped.ts';
import type { OpenPart, Subject } from './subject.ts';

/** What the output matrix says of some rows. */
export interface ReadoutRows {
  /** [rows, top]: the most probable tokens, the first of them first. */
  readonly ids: Int32Array;
  readonly logprobs: Float32Array;
  /** Log-probability of the token asked about, and the entropy in nats; by row. */
  readonly wanted: Float32Array;
  readonly entropy: Float32Array;
}

/** The last norm and the output matrix of a subject. One call at a time. */
export interface Readout {
  /** Rows of the last norm [rows, hidden] over rows of a residual stream, computed in float64. */
  normalized(stream: Float32Array): Float32Array;
  /**
   * Probabilities of normalized rows. `wanted` gives a token for each row; `visit` is called with
   * the first row and as many as were done at once.
   */
  read(
    rows: Float32Array,
    options: { top: number; wanted: Int32Array; signal?: AbortSignal | undefined },
    visit: (first: number, rows: ReadoutRows) => void,
  ): Promise<void>;
  /** One token's logit of each row. */
  logitsOf(rows: Float32Array, token: number, signal?: AbortSignal): Promise<Float32Array>;
  /** All logits of some rows at a time, [rows, vocabulary]. */
  eachLogits(
    rows: Float32Array,
    visit: (first: number, logits: Float32Array) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

/**
 * Logits computed at once, in elements: 16 MB. There are four arrays of this size at a time, and the
 * runtime keeps them; more at once is not faster.
 */
const MOST_LOGITS = 2 ** 22;

/** Loads the end of a subject; only where its residual stream is known. */
export async function openReadout(subject: Subject, open: OpenPart): Promise<Readout> {
  const { finalNorm, hiddenSize } = readDecoder(subject.model);
  const gain = readFloats(finalNorm.weight);
  const { session, close } = await open(readoutModel(subject.model, finalNorm.output, hiddenSize));

  async function eachPiece(
    rows: Float32Array,
    outputs: readonly string[],
    options: {
      top?: number;
      wanted?: Int32Array;
      token?: number;
      signal?: AbortSignal | undefined;
    },
    use: (first: number, results: Tensors) => void,
  ): Promise<void> {
    const { top = 1, wanted, token = 0, signal } = options;
    const count = rows.length / hiddenSize;
    const atOnce = Math.max(1, Math.floor(MOST_LOGITS / subject.vocabularySize));
    for (let first = 0; first < count; first += atOnce) {
      await nextTurn(signal);
      const some = Math.min(atOnce, count - first);
      const part = rows.subarray(first * hiddenSize, (first + some) * hiddenSize);
      const asked = wanted?.subarray(first, first + some) ?? new Int32Array(some);
      const feeds = {
        [finalNorm.output]: float32(part, [1, some, hiddenSize]),
        logits_index: int64(
          BigInt64Array.from({ length: some }, (_, at) => BigInt(at)),
          [some],
        ),
        wanted: int32(asked, [1, some, 1]),
        top: int64(BigInt64Array.of(BigInt(top)), [1]),
        token: int32(Int32Array.of(token), [1]),
      };
      const taken = Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name]]));
      use(first, await session.run(taken, outputs));
    }
  }

  return {
    normalized: (stream) => rmsNorm(stream, gain, finalNorm.epsilon),
    read: (rows, options, visit) =>
      eachPiece(
        rows,
        ['top_ids', 'top_logprobs', 'wanted_logprobs', 'negentropy'],
        options,
        (first, found) => {
          const entropy = floatsOf(found['negentropy']).map((value) => -value);
          checkFinite(entropy);
          visit(first, {
            ids: integersOf(found['top_ids']),
            logprobs: floatsOf(found['top_logprobs']),
            wanted: floatsOf(found['wanted_logprobs']),
            entropy,
          });
        },
      ),
    async logitsOf(rows, token, signal) {
      const logits = new Float32Array(rows.length / hiddenSize);
      await eachPiece(rows, ['token_logits'], { token, signal }, (first, found) =>
        logits.set(floatsOf(found['token_logits']), first),
      );
      return logits;
    },
    eachLogits: (rows, visit, signal) =>
      eachPiece(rows, ['logits'], { signal }, (first, { logits }) =>
        visit(first, floatsOf(logits)),
      ),
    close,
  };
}

function checkFinite(values: Float32Array): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new LatheError(
    'runtime_failed',
    `the model gave logits that are no finite numbers, at: ${bad}`,
    {
      value: String(values[bad]),
    },
  );
}

/** x · gain / √(mean x² + ε), row by row. */
function rmsNorm(stream: Float32Array, gain: Float32Array, epsilon: number): Float32Array {
  const hidden = gain.length;
  const rows = new Float32Array(stream.length);
  for (let start = 0; start < stream.length; start += hidden) {
    const scale = rootMeanSquare(stream.subarray(start, start + hidden), epsilon);
    for (let at = 0; at < hidden; at++) rows[start + at] = (stream[start + at] / scale) * gain[at];
  }
  return rows;
}

/** √(mean x² + ε). */
export function rootMeanSquare(row: Float32Array, epsilon: number): number {
  let squares = 0;
  for (const value of row) squares += value * value;
  return Math.sqrt(squares / row.length + epsilon);
}

/**
 * The output matrix with what is wanted of its logits: inputs are the normalized rows, `wanted` int32
 * [1, rows, 1], `top` int64 [1] and `token` int32 [1].
 */
function readoutModel(model: Model, normalized: string, hiddenSize: number): Model {
  const shape = [1, 'rows', hiddenSize];
  const head = tapped(
    headModel(model),
    ['logits'],
    [{ name: normalized, type: { kind: 'tensor', dataType: 'float32', shape } }],
  );
  const added = new AddedNodes('readout');
  const last = { attributes: { axis: int(-1) } };
  const logprobs = added.op('LogSoftmax', ['logits'], last);
  const [, ids] = added.outputs('TopK', [logprobs, 'top'], 2, {
    ...last,
    output: 'top_logprobs',
  });
  added.op('Cast', [ids], { output: 'top_ids', attributes: { to: int(dataTypes.int32.code) } });
  added.op('GatherElements', [logprobs, 'wanted'], { ...last, output: 'wanted_logprobs' });
  const terms = added.op('Mul', [added.op('Exp', [logprobs]), logprobs]);
  added.op('ReduceSum', [terms, added.i64([-1])], {
    output: 'negentropy',
    attributes: { keepdims: int(0) },
  });
  added.op('Gather', ['logits', 'token'], { ...last, output: 'token_logits' });
  const whole = edited(head, { nodes: added.nodes, initializers: [...added.constants.values()] });
  return {
    ...whole,
    graph: {
      ...whole.graph,
      inputs: [
        ...whole.graph.inputs,
        port('wanted', 'int32', [1, 'rows', 1]),
        port('top', 'int64', [1]),
        port('token', 'int32', [1]),
      ],
      outputs: [
        'logits',
        'top_ids',
        'top_logprobs',
        'wanted_logprobs',
        'negentropy',
        'token_logits',
      ].map((name) => ({ name, type: null })),
    },
  };
}

function port(name: string, dataType: 'int32' | 'int64', shape: (number | string)[]): ValueInfo {
  return { name, type: { kind: 'tensor', dataType, shape } };
}
