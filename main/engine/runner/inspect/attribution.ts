import { LatheError } from '../../../../preload/contract/errors.ts';
import type { Attribution } from '../../../../preload/contract/inspect/index.ts';
import type { Progress } from '../../../../preload/contract/models.ts';
import { answerBehind, emptyToken, unitEffects, unitShares } from '../../../capture/attribution.ts';
import { ownTokens, textUnits, type TextUnit } from '../../../capture/textUnits.ts';
import { attentionThrough } from '../../../capture/through.ts';
import { encodePrompt } from '../../../inference/prompt.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { openMultiply } from '../../calibration/multiply.ts';
import { progressOf } from '../../progress.ts';
import type { LoadedModel } from '../loaded.ts';
import type { Captures } from './captures.ts';
import type { AttributeRequest } from './compareContract.ts';
import type { LazyCaptures } from './lazyCaptures.ts';
import type { Report } from './pair.ts';
import { roomWithin } from './room.ts';
import { tokenAlone } from './texts.ts';
import { tokensOf } from './tokens.ts';

type AttributionEvent = Progress | { kind: 'done'; attribution: Attribution };

/** How much each unit of a prompt does for the token that follows, by the loaded model. */
export async function* attribution(
  model: LoadedModel,
  captures: LazyCaptures,
  request: AttributeRequest,
  signal: AbortSignal,
): AsyncGenerator<AttributionEvent> {
  const found = yield* progressOf((report) => attribute(model, captures, request, report, signal));
  yield { kind: 'done', attribution: found };
}

async function attribute(
  { decoder, tokenizer }: LoadedModel,
  captures: LazyCaptures,
  request: AttributeRequest,
  report: Report,
  signal: AbortSignal,
): Promise<Attribution> {
  const ids = await encodePrompt(tokenizer, request.prompt);
  const tokens = tokensOf(tokenizer, ids);
  const units = textUnits(tokens, ownPart(tokenizer, ids, request), request.level);
  if (units.length === 0) {
    throw new LatheError(
      'usage',
      'the prompt is empty: there is nothing that could have an effect',
    );
  }
  const answer = await answerBehind(decoder, ids, request.target, signal);
  const effectsOf = async (): Promise<number[]> => {
    if (request.method === 'attention')
      return shares(await captures.open(), request, ids, units, signal);
    const empty = emptyToken(tokenizer);
    return unitEffects(decoder, ids, units, {
      ...answer,
      ...(request.method === 'occlusion' && { instead: empty }),
      fallback: empty,
      signal,
      onProgress: (fraction) => report(`reading without each ${request.level}`, fraction),
    });
  };
  const effects = await effectsOf();
  return {
    tokens,
    target: tokenAlone(tokenizer, answer.target),
    logprob: answer.logprob,
    units: units.map((unit, at) => ({ ...unit, effect: effects[at] })),
    runs: request.method === 'attention' ? 1 : units.length + 1,
  };
}

/** The tokens of the prompt's own text; a chat template writes all of them. */
function ownPart(
  tokenizer: Tokenizer,
  ids: readonly number[],
  { prompt }: AttributeRequest,
): [number, number] {
  if (prompt.kind === 'chat') return [0, ids.length];
  return ownTokens(ids, tokenizer.encode(prompt.text, { specials: false }));
}

/** How the attention of the last token spreads over units, followed through all layers. */
async function shares(
  captures: Captures,
  { source, memoryLimit }: AttributeRequest,
  ids: readonly number[],
  units: readonly TextUnit[],
  signal: AbortSignal,
): Promise<number[]> {
  const { capturer } = await captures.subject(source);
  const captured = await capturer.capture(ids, {
    signal,
    mostBytes: roomWithin(memoryLimit),
  });
  const multiply = await openMultiply({ threads: source.threads, device: 'cpu' });
  try {
    const run = { multiply, signal };
    const { data } = await attentionThrough(captured, capturer.patterns, 'rollout', run);
    return unitShares(data.subarray(-ids.length), units);
  } finally {
    await multiply.close();
  }
}
