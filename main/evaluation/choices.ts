import { scoreContinuation } from './continuation.ts';
import type { ChoiceItem } from './dataset.ts';
import type { TextModel } from './logitSource.ts';

/** ln p of each choice, and its length in UTF-8 bytes. */
export interface ChoiceReading {
  readonly answer: number;
  readonly logProbabilities: readonly number[];
  readonly bytes: readonly number[];
}

/** Scores every choice behind the question, with a space between. */
export async function readChoices(
  model: TextModel,
  { context, choices, answer }: ChoiceItem,
  options: Parameters<typeof scoreContinuation>[3],
): Promise<ChoiceReading> {
  const logProbabilities: number[] = [];
  for (const choice of choices) {
    const rest = context === '' ? choice : ` ${choice}`;
    const score = await scoreContinuation(model, context, rest, options);
    logProbabilities.push(score.logProbability);
  }
  const bytes = choices.map((choice) => new TextEncoder().encode(choice).length);
  return { answer, logProbabilities, bytes };
}

/** acc: whether the right choice has the largest Σ ln p; the first of equals counts. */
export const isRight = ({ answer, logProbabilities }: ChoiceReading): boolean =>
  largestAt(logProbabilities) === answer;

/** acc_norm: the same with Σ ln p per byte of the choice. */
export const isRightPerByte = ({ answer, logProbabilities, bytes }: ChoiceReading): boolean =>
  largestAt(logProbabilities.map((score, i) => score / bytes[i])) === answer;

function largestAt(values: readonly number[]): number {
  return values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
}
