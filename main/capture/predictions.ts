import type { Prediction } from '../../preload/contract/inspect/lens.ts';
import { logSumExp } from '../inference/sampling/logSoftmax.ts';
import { largestPositions } from '../inference/sampling/select.ts';
import { floatsOf } from '../inference/session.ts';
import type { Capturer } from './capture.ts';
import type { Captured } from './captured.ts';
import type { Readout } from './readout.ts';

/** What a model says behind one token, without texts. */
export type RawPrediction = Omit<Prediction, 'alternatives'> & {
  readonly alternatives: { readonly id: number; readonly logprob: number }[];
};

/** What a model says behind each token of a captured text. */
export async function predictions(
  captured: Captured,
  { capturer, readout }: { capturer: Capturer; readout: Readout | null },
  top: number,
  signal?: AbortSignal,
): Promise<RawPrediction[]> {
  if (readout === null) return fromLogits(captured, capturer, top, signal);
  const { ids, streams } = captured;
  const result: RawPrediction[] = [];
  const wanted = Int32Array.from(ids, (_, at) => ids[at + 1] ?? 0);
  const rows = readout.normalized(streams[streams.length - 1]);
  await readout.read(rows, { top, wanted, signal }, (first, found) => {
    found.entropy.forEach((nats, row) => {
      result.push({
        logprob: first + row + 1 < ids.length ? found.wanted[row] : null,
        entropy: nats / Math.LN2,
        alternatives: Array.from({ length: top }, (_, at) => ({
          id: found.ids[row * top + at],
          logprob: found.logprobs[row * top + at],
        })),
      });
    });
  });
  return result;
}

/** The same of a graph whose residual stream is not known: it runs again. */
async function fromLogits(
  captured: Captured,
  capturer: Capturer,
  top: number,
  signal?: AbortSignal,
): Promise<RawPrediction[]> {
  const { ids } = captured;
  const result: RawPrediction[] = [];
  const show = (_: string, tensor: Parameters<typeof floatsOf>[0]): void => {
    const { vocabularySize } = capturer.subject;
    const data = floatsOf(tensor);
    for (let start = 0; start < data.length; start += vocabularySize) {
      const next = ids[result.length + 1];
      result.push(predictionOf(data.subarray(start, start + vocabularySize), next, top));
    }
  };
  await capturer.show(captured, ['logits'], show, signal);
  return result;
}

function predictionOf(logits: Float32Array, next: number | undefined, top: number): RawPrediction {
  const normalizer = logSumExp(logits);
  let entropy = 0;
  for (const logit of logits) {
    const logprob = logit - normalizer;
    const share = Math.exp(logprob) * logprob;
    if (share < 0) entropy -= share;
  }
  const best = [...largestPositions(logits, logits.length, top)];
  return {
    logprob: next === undefined ? null : logits[next] - normalizer,
    entropy: entropy / Math.LN2,
    alternatives: best.map((id) => ({ id, logprob: logits[id] - normalizer })),
  };
}
