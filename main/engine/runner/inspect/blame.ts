import type { Blame, BlameEvent } from '../../../../preload/contract/inspect/index.ts';
import { LatheError } from '../../../../preload/contract/errors.ts';
import { findBlame, type Verdict } from '../../../evaluation/blame.ts';
import { logitsBehind, type PairReading } from '../../../evaluation/difference.ts';
import {
  distributionOf,
  klDivergence,
  type Distribution,
} from '../../../evaluation/distribution.ts';
import { differingUnits, type MixUnit } from '../../../passes/mix.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import type { LoadedModel, ModelHolder } from '../loaded.ts';
import { telling } from '../telling.ts';
import type { Captures } from './captures.ts';
import type { PairRequest } from './compareContract.ts';
import { withGraphs, withMixtures, type Mixture } from './mixture.ts';
import { comparePair, withPair, type Report } from './pair.ts';
import { makeRoom } from './room.ts';

/** Finds the layers that make a variant differ where it first departs from its base. */
export async function* blame(
  runner: { captures: Captures; holder: ModelHolder },
  request: PairRequest,
  signal: AbortSignal,
): AsyncGenerator<BlameEvent> {
  await makeRoom(runner, request);
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
  const findings = await withGraphs(request, async (from, to) => {
    report('comparing what is stored', 0);
    const units = await differingUnits(from, to, signal);
    report('loading both in one graph', 0);
    return withMixtures([from, to], units, request, (mixture) =>
      findBlame(units, {
        judge: (some) => judge(question, mixture, some, signal),
        kl: klDivergence(base, variant),
        flipped,
        signal,
        onSuspect: (suspect) => tell({ kind: 'suspect', ...suspect }),
        onProgress: (fraction) => report('putting layers of the base back', Math.min(1, fraction)),
      }),
    );
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

/** Runs a mixture up to the token in question. */
async function judge(
  { reading: { ids, promptTokens }, at, base }: Question,
  { decoder, putBack }: Mixture,
  units: readonly MixUnit[],
  signal: AbortSignal,
): Promise<Verdict> {
  putBack(units);
  const says = distributionOf(await logitsBehind(decoder, ids, promptTokens, at, signal));
  return { kl: klDivergence(base, says), restores: says.top === base.top };
}
