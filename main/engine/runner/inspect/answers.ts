import { LatheError } from '../../../../preload/contract/errors.ts';
import type {
  Direct,
  Lens,
  NdArray,
  Prediction,
  Sheet,
  Square,
} from '../../../../preload/contract/inspect/index.ts';
import { directLogits } from '../../../capture/direct.ts';
import { headStatistics } from '../../../capture/headStatistics.ts';
import { logitLens } from '../../../capture/lens.ts';
import { checkHead, checkPosition, checkToken } from '../../../capture/limits.ts';
import { predictions } from '../../../capture/predictions.ts';
import { sheetOf } from '../../../capture/sheet.ts';
import { attentionThrough } from '../../../capture/through.ts';
import { valuesOf } from '../../../capture/values.ts';
import { openMultiply } from '../../calibration/multiply.ts';
import type { KeptCapture } from './captures.ts';
import { divergence } from './divergence.ts';
import type { OpenedSubject } from './subjects.ts';

type Signal = AbortSignal | undefined;

export const answers = {
  sheet: ({ captured, subject }: KeptCapture, size: number, signal: Signal): Promise<Sheet> =>
    sheetOf(captured, subject.capturer.patterns, size, signal),

  async pattern(
    { captured, subject }: KeptCapture,
    { layer, head, what }: { layer: number; head: number | 'mean'; what: 'pattern' | 'scores' },
  ): Promise<Square> {
    checkHead(subject.capturer.subject, { layer, head: head === 'mean' ? 0 : head });
    const data = await subject.capturer.patterns.square(captured, layer, head, what);
    return { tokens: captured.ids.length, data };
  },

  async through(
    { captured, subject }: KeptCapture,
    method: 'rollout' | 'flow',
    signal: Signal,
  ): Promise<Square> {
    const { threads } = subject.source;
    const multiply = await openMultiply({ threads, device: 'cpu' });
    try {
      return await attentionThrough(captured, subject.capturer.patterns, method, {
        multiply,
        signal,
      });
    } finally {
      await multiply.close();
    }
  },

  heads: ({ captured, subject }: KeptCapture, signal: Signal) =>
    headStatistics(captured, subject.capturer.patterns, signal),

  values: ({ captured, subject }: KeptCapture, hook: string, signal: Signal): Promise<NdArray> =>
    valuesOf(captured, subject.capturer, hook, signal),

  async lens({ captured, subject }: KeptCapture, top: number, signal: Signal): Promise<Lens> {
    const most = Math.min(top, subject.capturer.subject.vocabularySize);
    const found = await logitLens(captured, await readoutOf(subject, 'the lens'), most, signal);
    return { ...found, texts: textsOf(subject, found.ids) };
  },

  async predictions(
    kept: KeptCapture,
    top: number,
    against: KeptCapture | null,
    signal: Signal,
  ): Promise<Prediction[]> {
    const { captured, subject } = kept;
    const { capturer } = subject;
    const readout = capturer.subject.hasStreams ? await subject.readout() : null;
    const most = Math.min(top, capturer.subject.vocabularySize);
    const found = await predictions(captured, { capturer, readout }, most, signal);
    const kl = against ? await divergence(against, kept, signal) : null;
    return found.map(({ alternatives, ...rest }, at) => ({
      ...rest,
      ...(kl && { kl: kl[at] }),
      alternatives: alternatives.map((one) => ({ ...one, text: textOf(subject, one.id) })),
    }));
  },

  async direct(
    kept: KeptCapture,
    { position, token }: { position: number; token?: number | undefined },
    signal: Signal,
  ): Promise<Direct> {
    const { captured, subject } = kept;
    const { capturer, open } = subject;
    checkPosition(captured, position);
    if (token !== undefined) checkToken(capturer.subject, token);
    const readout = await readoutOf(subject, 'direct logit attribution');
    const { hiddenSize } = capturer.subject;
    const last = captured.streams[captured.streams.length - 1];
    const row = readout.normalized(
      last.subarray(position * hiddenSize, (position + 1) * hiddenSize),
    );
    let chosen = { id: token ?? 0, logprob: 0 };
    const wanted = Int32Array.of(token ?? 0);
    await readout.read(row, { top: 1, wanted, signal }, (_, found) => {
      chosen =
        token === undefined
          ? { id: found.ids[0], logprob: found.logprobs[0] }
          : { id: token, logprob: found.wanted[0] };
    });
    const tools = { subject: capturer.subject, patterns: capturer.patterns, readout, open };
    const parts = await directLogits(captured, tools, { position, token: chosen.id }, signal);
    return { token: { ...chosen, text: textOf(subject, chosen.id) }, ...parts };
  },
};

/** The end of a model; `graph_invalid` where its residual stream is not known. */
function readoutOf(subject: OpenedSubject, what: string) {
  if (subject.capturer.subject.hasStreams) return subject.readout();
  throw new LatheError(
    'graph_invalid',
    `${what} needs the residual stream of a model of the Llama kind; this graph could not be read as one (its attention can be looked at)`,
    { next: ['choose-model'] },
  );
}

const textOf = ({ tokenizer }: OpenedSubject, id: number): string => tokenizer.token(id).text;

function textsOf(subject: OpenedSubject, ids: Int32Array): Record<string, string> {
  return Object.fromEntries([...new Set(ids)].map((id) => [String(id), textOf(subject, id)]));
}
