import { LatheError } from '../../../../preload/contract/errors.ts';
import { distributionOf, klDivergence } from '../../../evaluation/distribution.ts';
import type { KeptCapture } from './captures.ts';

/** Logits of one of the two that are held at once, in elements: 16 MB. */
const MOST_LOGITS = 2 ** 22;

/**
 * KL(before ‖ after) in nats of what two captures of one text say behind each token, over the whole
 * vocabulary. Null where the residual stream of either is not known.
 */
export async function divergence(
  before: KeptCapture,
  after: KeptCapture,
  signal?: AbortSignal,
): Promise<Float32Array | null> {
  const { ids } = after.captured;
  if (
    before.captured.ids.length !== ids.length ||
    before.captured.ids.some((id, at) => id !== ids[at])
  ) {
    throw new LatheError(
      'usage',
      `captures can be compared where they are of the same tokens; these have ${before.captured.ids.length} and ${ids.length}`,
    );
  }
  const [first, second] = [before, after].map(({ subject }) => subject.capturer.subject);
  if (first.vocabularySize !== second.vocabularySize) {
    throw new LatheError(
      'usage',
      `captures can be compared where their models have one vocabulary; these have ${first.vocabularySize} and ${second.vocabularySize} tokens`,
    );
  }
  if (!first.hasStreams || !second.hasStreams) return null;
  const kl = new Float32Array(ids.length);
  const atOnce = Math.max(1, Math.floor(MOST_LOGITS / first.vocabularySize));
  for (let start = 0; start < ids.length; start += atOnce) {
    const end = Math.min(ids.length, start + atOnce);
    const base = await logitsOf(before, start, end, signal);
    const other = await logitsOf(after, start, end, signal);
    for (let at = start; at < end; at++) {
      kl[at] = klDivergence(distributionOf(base[at - start]), distributionOf(other[at - start]));
    }
  }
  return kl;
}

/** The logits behind the tokens from `start` to before `end`. */
async function logitsOf(
  { captured, subject }: KeptCapture,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { hiddenSize, vocabularySize } = subject.capturer.subject;
  const readout = await subject.readout();
  const stream = captured.streams[captured.streams.length - 1];
  const rows = readout.normalized(stream.subarray(start * hiddenSize, end * hiddenSize));
  const result: Float32Array[] = [];
  await readout.eachLogits(
    rows,
    (_, logits) => {
      for (let at = 0; at < logits.length; at += vocabularySize) {
        result.push(logits.slice(at, at + vocabularySize));
      }
    },
    signal,
  );
  return result;
}
