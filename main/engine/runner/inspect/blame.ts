import type { Blame, BlameEvent } from '../../../../preload/contract/inspect/index.ts';
import { LatheError } from '../../../../preload/contract/errors.ts';
import { findBlame } from '../../../evaluation/blame.ts';
import { logitsBehind, type PairReading } from '../../../evaluation/difference.ts';
import {
  distributionOf,
  klDivergence,
  type Distribution,
} from '../../../evaluation/distribution.ts';
import { differingUnits, type MixUnit } from '../../../passes/mix.ts';
import type { ModelHolder } from '../loaded.ts';
import { telling } from '../telling.ts';
import type { Captures } from './captures.ts';
import type { PairRequest } from './compareContract.ts';
import { withGraphs, withMixtures } from './mixture.ts';
import { readBoth, type Report } from './pair.ts';
import { makeRoom } from './room.ts';

/** Finds the layers that make a variant differ where it first departs from its base. */
export async function* blame(
  runner: { captures: Captures; holder: ModelHolder },
  request: PairRequest,
  signal: AbortSignal,
): AsyncGenerator<BlameEvent> {
  await makeRoom(runner, request);
  const first: BlameEvent = { kind: 'progress', stage: 'opening both models' };
  yield* telling<BlameEvent>(first, async (tell) => ({
    kind: 'done',
    blame: await search(runner.captures, request, nowAndThen(tell), tell, signal),
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

async function search(
  captures: Captures,
  request: PairRequest,
  report: Report,
  tell: (event: BlameEvent) => void,
  signal: AbortSignal,
): Promise<Blame> {
  const { reading, tokenizer } = await readBoth(captures, request, report, signal);
  const { ids, promptTokens } = reading;
  const at = placeOf(reading);
  const token = (id: number) => ({ id, text: tokenizer.token(id).text });
  return withGraphs(request, async (from, to) => {
    report('comparing what is stored', 0);
    const units = await differingUnits(from, to, signal);
    report('loading both in one graph', 0);
    return withMixtures([from, to], units, request, async ({ decoder, putBack }) => {
      /** What the variant says at the token in question with some units put back. */
      const says = async (some: readonly MixUnit[]): Promise<Distribution> => {
        putBack(some);
        return distributionOf((await logitsBehind(decoder, ids, promptTokens, at, signal)).slice());
      };
      const [base, variant] = [await says(units), await says([])];
      const { suspects, sufficient, runs } = await findBlame(units, {
        judge: async (some) => {
          const mixed = await says(some);
          return { kl: klDivergence(base, mixed), restores: mixed.top === base.top };
        },
        kl: klDivergence(base, variant),
        flipped: base.top !== variant.top,
        signal,
        onSuspect: (suspect) => tell({ kind: 'suspect', ...suspect }),
        onProgress: (fraction) => report('putting layers of the base back', Math.min(1, fraction)),
      });
      return {
        position: at + 1,
        expected: token(base.top),
        given: token(variant.top),
        suspects: [...suspects],
        sufficient: [...sufficient],
        runs,
      };
    });
  });
}

/** The place behind which two models part, or else differ most. */
function placeOf({ ids, firstDivergence, kl }: PairReading): number {
  if (ids.length < 2) {
    const message = `a text needs a second token for a layer to be blamed for it: ${ids.length}`;
    throw new LatheError('usage', message, { value: String(ids.length) });
  }
  if (firstDivergence !== null) return firstDivergence - 1;
  return kl.subarray(0, -1).reduce((best, value, at) => (value > kl[best] ? at : best), 0);
}
