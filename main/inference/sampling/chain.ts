import type { Sampling } from '../../../preload/contract/generation.ts';
import { LatheError } from '../../../preload/contract/errors.ts';
import { fill, largestLogit, weigh, type Candidates } from './candidates.ts';
import { logitBias } from './logitBias.ts';
import { minP } from './minP.ts';
import { noRepeatNgram } from './noRepeatNgram.ts';
import { presenceAndFrequencyPenalty, repetitionPenalty } from './penalties.ts';
import { keepMostProbable, scaleByTemperature } from './temperature.ts';
import { topK } from './topK.ts';
import { topP } from './topP.ts';
import { typicalP } from './typicalP.ts';

/** The tokens so far, which some rules look back at. */
export interface History {
  readonly promptIds: readonly number[];
  readonly generatedIds: readonly number[];
}

/**
 * The one order in which the sampling rules apply:
 *
 * 1. logit bias
 * 2. repetition penalty (prompt and generated), presence and frequency penalty (generated)
 * 3. no-repeat n-gram (prompt and generated)
 * 4. temperature; at 0 the most probable token is taken and the rest is skipped
 * 5. top-k
 * 6. typical-p
 * 7. top-p
 * 8. min-p
 *
 * Each rule sees the probabilities that the one before left, renormalized. A rule at its neutral
 * value is skipped. Leaves in `candidates` the tokens to draw from: one, or several with their
 * `weights`.
 */
export function applyRules(
  candidates: Candidates,
  rawLogits: Float32Array,
  sampling: Sampling,
  history: History,
): void {
  fill(candidates, rawLogits);
  changeLogits(candidates.logits, sampling, history);
  if (sampling.temperature === 0) keepMostProbable(candidates);
  // Temperature keeps the order of the logits: top-k may choose first, and fewer are then scaled.
  else if (sampling.topK > 0) topK(candidates, sampling.topK);
  if (largestLogit(candidates) === -Infinity) {
    throw new LatheError('usage', 'the sampling rules forbid every token of the vocabulary');
  }
  if (sampling.temperature === 0) return;
  if (sampling.temperature !== 1) scaleByTemperature(candidates, sampling.temperature);
  weigh(candidates);
  if (sampling.typicalP < 1) typicalP(candidates, sampling.typicalP);
  if (sampling.topP < 1) topP(candidates, sampling.topP);
  if (sampling.minP > 0) minP(candidates, sampling.minP);
}

/** Rules 1 to 3: they change single logits, indexed by token id. */
function changeLogits(
  logits: Float64Array,
  sampling: Sampling,
  { promptIds, generatedIds }: History,
): void {
  const biases = Object.entries(sampling.logitBias);
  logitBias(
    logits,
    biases.map(([id, bias]) => [Number(id), bias]),
  );
  if (sampling.repetitionPenalty !== 1) {
    const seen = [...new Set([...promptIds, ...generatedIds])];
    repetitionPenalty(logits, seen, sampling.repetitionPenalty);
  }
  if (sampling.presencePenalty !== 0 || sampling.frequencyPenalty !== 0) {
    presenceAndFrequencyPenalty(
      logits,
      countIds(generatedIds),
      sampling.presencePenalty,
      sampling.frequencyPenalty,
    );
  }
  if (sampling.noRepeatNgram > 0) {
    noRepeatNgram(logits, [...promptIds, ...generatedIds], sampling.noRepeatNgram);
  }
}

function countIds(ids: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
