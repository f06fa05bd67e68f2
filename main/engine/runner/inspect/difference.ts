import { LatheError } from '../../../../preload/contract/errors.ts';
import type { Difference, PatternPair } from '../../../../preload/contract/inspect/index.ts';
import type { Progress } from '../../../../preload/contract/models.ts';
import type { Opinions } from '../../../evaluation/difference.ts';
import { checkHead } from '../../../capture/limits.ts';
import { nextTurn } from '../../../numeric/linearAlgebra/multiply.ts';
import { meanCosine, meanJensenShannon } from '../../../numeric/matrices/jensenShannon.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { progressOf } from '../../progress.ts';
import type { ModelHolder } from '../loaded.ts';
import type { LoadRequest } from '../source.ts';
import type { Captures, KeptCapture } from './captures.ts';
import type { Compared, CompareRequest } from './compareContract.ts';
import { readBoth, type Report } from './pair.ts';
import { makeRoom, roomWithin } from './room.ts';
import { tokensOf } from './tokens.ts';

/** What of two models can be held side by side beyond what they say. */
type Insides = Pick<Difference, 'layers' | 'heads' | 'headDivergence' | 'residualCosine' | 'note'>;

/**
 * Compares two models on one text: first what they say, then what goes on inside. The captures of both
 * are kept under the id of the request, for questions about single heads.
 */
export async function* difference(
  { captures, holder }: { captures: Captures; holder: ModelHolder },
  request: CompareRequest,
  signal: AbortSignal,
): AsyncGenerator<Progress | Compared> {
  await makeRoom({ holder, captures }, request);
  const found = yield* progressOf((report) => compare(captures, request, report, signal));
  yield { kind: 'done', difference: found };
}

async function compare(
  captures: Captures,
  request: CompareRequest,
  report: Report,
  signal: AbortSignal,
): Promise<Compared['difference']> {
  const { reading, tokenizer } = await readBoth(captures, request, report, signal);
  const { ids, promptTokens, base, variant, kl, firstDivergence } = reading;
  const insides = await compareInsides(captures, request, ids, report, signal);
  return {
    id: request.id,
    tokens: tokensOf(tokenizer, ids),
    promptTokens,
    positions: ids.map((_, at) => ({
      base: opinionAt(tokenizer, base, at),
      variant: opinionAt(tokenizer, variant, at),
      kl: kl[at],
    })),
    firstDivergence,
    ...insides,
  };
}

function opinionAt(tokenizer: Tokenizer, { logprobs, top, topLogprobs }: Opinions, at: number) {
  return {
    logprob: Number.isNaN(logprobs[at]) ? null : logprobs[at],
    top: { id: top[at], text: tokenizer.token(top[at]).text },
    topLogprob: topLogprobs[at],
  };
}

/** Failures after which what the models say still stands, with a note that tells why no more is known. */
const bearable = ['graph_invalid', 'memory_limit'];

async function compareInsides(
  captures: Captures,
  { id, base, variant, memoryLimit }: CompareRequest,
  ids: readonly number[],
  report: Report,
  signal: AbortSignal,
): Promise<Insides> {
  try {
    const capture = (source: LoadRequest, side: Side) =>
      captureSide(captures, source, {
        id: nameOf(id, side),
        side,
        ids,
        memoryLimit,
        report,
        signal,
      });
    const [first, second] = [await capture(base, 'base'), await capture(variant, 'variant')];
    return await insidesOf(first, second, report, signal);
  } catch (error) {
    if (!(error instanceof LatheError && bearable.includes(error.code))) throw error;
    const nothing = { heads: null, headDivergence: null, residualCosine: new Float32Array(0) };
    return { layers: 0, ...nothing, note: error.message };
  }
}

type Side = 'base' | 'variant';

const nameOf = (id: string, side: Side): string => `${id}/${side}`;

interface SideOptions {
  readonly id: string;
  readonly side: Side;
  readonly ids: readonly number[];
  readonly memoryLimit: number;
  readonly report: Report;
  readonly signal: AbortSignal;
}

async function captureSide(
  captures: Captures,
  source: LoadRequest,
  { id, side, ids, memoryLimit, report, signal }: SideOptions,
): Promise<KeptCapture> {
  report(`opening the ${side}`, 0);
  const subject = await captures.subject(source);
  const captured = await subject.capturer.capture(ids, {
    signal,
    mostBytes: roomWithin(memoryLimit),
    onProgress: (_, fraction) => report(`capturing the ${side}`, fraction),
  });
  captures.keep(id, { subject, captured });
  return { subject, captured };
}

async function insidesOf(
  base: KeptCapture,
  variant: KeptCapture,
  report: Report,
  signal: AbortSignal,
): Promise<Insides> {
  const [own, other] = [base.captured, variant.captured];
  const { hiddenSize } = base.subject.capturer.subject;
  const heads = own.layers.map((layer) => layer.heads);
  const sameStreams =
    hiddenSize > 0 &&
    hiddenSize === variant.subject.capturer.subject.hiddenSize &&
    own.streams.length === other.streams.length;
  const residualCosine = Float32Array.from(sameStreams ? own.streams : [], (stream, at) =>
    meanCosine(stream, other.streams[at], hiddenSize),
  );
  const sameHeads = heads.join() === other.layers.map((layer) => layer.heads).join();
  if (!sameHeads) {
    const note =
      'the two models have not the same heads: their patterns cannot be compared one by one';
    return { layers: heads.length, heads: null, headDivergence: null, residualCosine, note };
  }
  const divergences: number[] = [];
  const total = heads.reduce((sum, count) => sum + count, 0);
  for (const [layer, count] of heads.entries()) {
    for (let head = 0; head < count; head++) {
      await nextTurn(signal);
      report('comparing heads', divergences.length / total);
      const [p, q] = [await squareOf(base, layer, head), await squareOf(variant, layer, head)];
      divergences.push(meanJensenShannon(p, q, own.ids.length));
    }
  }
  const headDivergence = Float32Array.from(divergences);
  return { layers: heads.length, heads, headDivergence, residualCosine };
}

const squareOf = ({ subject, captured }: KeptCapture, layer: number, head: number) =>
  subject.capturer.patterns.square(captured, layer, head);

/** One head's patterns in both models; `not_found` where the captures have gone. */
export async function patternPair(
  captures: Captures,
  { difference: id, layer, head }: { difference: string; layer: number; head: number },
): Promise<PatternPair> {
  const [base, variant] = [captures.get(nameOf(id, 'base')), captures.get(nameOf(id, 'variant'))];
  for (const { subject } of [base, variant]) checkHead(subject.capturer.subject, { layer, head });
  return {
    tokens: base.captured.ids.length,
    base: await squareOf(base, layer, head),
    variant: await squareOf(variant, layer, head),
  };
}
