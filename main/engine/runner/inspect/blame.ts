import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Blame, BlameEvent } from '../../../../preload/contract/inspect/index.ts';
import { LatheError } from '../../../../preload/contract/errors.ts';
import { findBlame, type Verdict } from '../../../evaluation/blame.ts';
import { logitsBehind, type PairReading } from '../../../evaluation/difference.ts';
import {
  distributionOf,
  klDivergence,
  type Distribution,
} from '../../../evaluation/distribution.ts';
import { Decoder } from '../../../inference/decoder.ts';
import { temporaryFolder } from '../../../library/folders.ts';
import type { Model } from '../../../onnx/model.ts';
import { saveModel } from '../../../onnx/save.ts';
import { readDecoder, type Decoder as DecoderGraph } from '../../../passes/decoder.ts';
import { differingUnits, mixed } from '../../../passes/mix.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { contextLengthIn } from '../folder.ts';
import type { LoadedModel, ModelHolder } from '../loaded.ts';
import { inputFor, openInput } from '../passInput.ts';
import { telling } from '../telling.ts';
import type { PairRequest } from './compareContract.ts';
import { comparePair, makeRoom, withPair, type Report } from './pair.ts';

/** Finds the layers that make a variant differ where it first departs from its base. */
export async function* blame(
  holder: ModelHolder,
  request: PairRequest,
  signal: AbortSignal,
): AsyncGenerator<BlameEvent> {
  await makeRoom(holder, request);
  const first: BlameEvent = { kind: 'progress', stage: 'loading the base' };
  yield* telling<BlameEvent>(first, async (tell) => ({
    kind: 'done',
    blame: await search(request, nowAndThen(tell), tell, signal),
  }));
}

/** Reports of one stage come at most every 100 ms. */
function nowAndThen(tell: (event: BlameEvent) => void): Report {
  let told = { stage: '', at: 0 };
  return (stage, fraction) => {
    const at = performance.now();
    if (stage === told.stage && at - told.at < 100) return;
    told = { stage, at };
    tell({ kind: 'progress', stage, fraction });
  };
}

/** What both models say at the token in question. */
interface Question {
  readonly reading: PairReading;
  /** The token whose prediction is looked at is the one behind this place. */
  readonly at: number;
  readonly base: Distribution;
  readonly variant: Distribution;
  readonly tokenizer: Tokenizer;
}

async function search(
  request: PairRequest,
  report: Report,
  tell: (event: BlameEvent) => void,
  signal: AbortSignal,
): Promise<Blame> {
  const question = await ask(request, report, signal);
  const { at, base, variant, tokenizer } = question;
  const flipped = base.top !== variant.top;
  return withGraphs(request, async (from, to) => {
    report('comparing what is stored', 0);
    const units = await differingUnits(from, to, signal);
    const scratch = temporaryFolder(request.variant.graphs);
    try {
      const findings = await findBlame(units, {
        judge: (some) => judge(question, mixed(from, to, some), request, scratch, signal),
        kl: klDivergence(base, variant),
        flipped,
        signal,
        onSuspect: (suspect) => tell({ kind: 'suspect', ...suspect }),
        onProgress: (fraction) => report('putting layers of the base back', Math.min(1, fraction)),
      });
      const token = (id: number) => ({ id, text: tokenizer.token(id).text });
      return {
        position: at + 1,
        expected: token(base.top),
        given: token(variant.top),
        suspects: [...findings.suspects],
        sufficient: [...findings.sufficient],
        runs: findings.runs,
      };
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** Reads the text with both models and looks at where they part, or else differ most. */
async function ask(request: PairRequest, report: Report, signal: AbortSignal): Promise<Question> {
  return withPair(request, report, async (pair) => {
    const reading = await comparePair(pair, request, report, signal);
    const { ids, promptTokens, firstDivergence, kl } = reading;
    if (ids.length < 2) {
      const message = `a text needs a second token for a layer to be blamed for it: ${ids.length}`;
      throw new LatheError('usage', message, { value: String(ids.length) });
    }
    const at = firstDivergence === null ? largest(kl.subarray(0, -1)) : firstDivergence - 1;
    // Both are read once more exactly as mixed models will be.
    const says = async ({ decoder }: LoadedModel): Promise<Distribution> =>
      distributionOf((await logitsBehind(decoder, ids, promptTokens, at, signal)).slice());
    const [base, variant] = [await says(pair.base), await says(pair.variant)];
    return { reading, at, base, variant, tokenizer: pair.base.tokenizer };
  });
}

const largest = (values: Float64Array): number =>
  values.reduce((best, value, at) => (value > values[best] ? at : best), 0);

/** Opens the graphs of both models in the fused form, their weights read only when asked for. */
async function withGraphs<T>(
  { base, variant }: PairRequest,
  use: (base: DecoderGraph, variant: DecoderGraph) => Promise<T>,
): Promise<T> {
  const first = openInput(base.folder);
  try {
    const second = openInput(variant.folder);
    try {
      const [from, to] = [await inputFor(first, []), await inputFor(second, [])];
      return await use(readDecoder(from.model), readDecoder(to.model));
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

/** Runs a mixed model up to the token in question. */
async function judge(
  { reading: { ids, promptTokens }, at, base }: Question,
  model: Model,
  { variant: { folder, threads, device } }: PairRequest,
  scratch: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const file = join(scratch, 'mixed.onnx');
  const written = saveModel(model, file);
  const contextLength = contextLengthIn(folder);
  const decoder = await Decoder.open(file, { contextLength, threads, device });
  try {
    const logits = await logitsBehind(decoder, ids, promptTokens, at, signal);
    const says = distributionOf(logits);
    return { kl: klDivergence(base, says), restores: says.top === base.top };
  } finally {
    await decoder.close();
    for (const path of written) rmSync(path, { force: true });
  }
}
