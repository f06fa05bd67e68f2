import type { Sampling } from '../../../preload/contract/index.ts';

/** The numeric sampling parameters, one row of the panel each. */
export type ParameterKey = Exclude<keyof Sampling, 'logitBias' | 'seed'>;

export interface Parameter {
  readonly key: ParameterKey;
  readonly label: string;
  /** What it does, in one sentence. */
  readonly sentence: string;
  readonly formula: string;
  /** Range of the slider; the field beside it takes all that the contract allows. */
  readonly slider: readonly [min: number, max: number];
  readonly limits: readonly [min: number, max: number];
  readonly step: number;
}

export const parameters: readonly Parameter[] = [
  {
    key: 'temperature',
    label: 'Temperature',
    sentence:
      'Flattens the distribution above 1 and sharpens it below; 0 takes the most probable token.',
    formula: 'p ∝ exp(logit / T)',
    slider: [0, 2],
    limits: [0, 10],
    step: 0.05,
  },
  {
    key: 'topK',
    label: 'Top-k',
    sentence: 'Keeps the k most probable tokens; 0 keeps all.',
    formula: 'rank(token) ≤ k',
    slider: [0, 100],
    limits: [0, 1_000_000],
    step: 1,
  },
  {
    key: 'topP',
    label: 'Top-p',
    sentence: 'Keeps the smallest set of tokens whose probabilities sum to p; 1 keeps all.',
    formula: 'min |S| with Σ p(S) ≥ p',
    slider: [0.05, 1],
    limits: [0.001, 1],
    step: 0.01,
  },
  {
    key: 'minP',
    label: 'Min-p',
    sentence: 'Keeps tokens at least this fraction as probable as the best one; 0 keeps all.',
    formula: 'p(token) ≥ m · max p',
    slider: [0, 0.5],
    limits: [0, 1],
    step: 0.01,
  },
  {
    key: 'typicalP',
    label: 'Typical-p',
    sentence:
      'Keeps the tokens nearest to the expected information until they sum to p; 1 keeps all.',
    formula: '|−log p − H| smallest, Σ p ≥ τ',
    slider: [0.05, 1],
    limits: [0.001, 1],
    step: 0.01,
  },
  {
    key: 'repetitionPenalty',
    label: 'Repetition penalty',
    sentence: 'Makes every token seen before less probable, in the prompt or the text; 1 is off.',
    formula: 'logit > 0 ? logit / r : logit · r',
    slider: [0.8, 1.8],
    limits: [0.01, 10],
    step: 0.01,
  },
  {
    key: 'presencePenalty',
    label: 'Presence penalty',
    sentence: 'Lowers every generated token once, however often it came; 0 is off.',
    formula: 'logit − α · [count > 0]',
    slider: [-2, 2],
    limits: [-10, 10],
    step: 0.05,
  },
  {
    key: 'frequencyPenalty',
    label: 'Frequency penalty',
    sentence: 'Lowers every generated token as often as it came; 0 is off.',
    formula: 'logit − β · count',
    slider: [-2, 2],
    limits: [-10, 10],
    step: 0.05,
  },
  {
    key: 'noRepeatNgram',
    label: 'No-repeat n-gram',
    sentence: 'Forbids any run of n tokens that was there before; 0 is off.',
    formula: 'p = 0 if the n-gram was seen',
    slider: [0, 10],
    limits: [0, 64],
    step: 1,
  },
];
