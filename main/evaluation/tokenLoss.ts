import type { DocumentReading } from './documents.ts';

export const sumOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0);

/** How much a model's perplexity is above its base's, on the same tokens. */
export interface PerplexityDelta {
  /** ln(ppl(model) / ppl(base)) */
  readonly lnRatio: number;
  /**
   * Of ppl(model) − ppl(base) and of its logarithmic ratio, from the (co)variance of the losses of
   * single tokens, by the delta method: as llama.cpp reports them. Neighbouring tokens are taken as
   * independent. NaN for a single token.
   */
  readonly differenceError: number;
  readonly lnRatioError: number;
}

/** Δ perplexity over all tokens of the texts, with standard errors. */
export function perplexityDelta(readings: readonly DocumentReading[]): PerplexityDelta {
  let tokens = 0;
  let own = 0;
  let other = 0;
  eachPair(readings, (a, b) => {
    tokens++;
    own += a;
    other += b;
  });
  const [a, b] = [own / tokens, other / tokens];
  let varianceA = 0;
  let varianceB = 0;
  let covariance = 0;
  eachPair(readings, (natsA, natsB) => {
    varianceA += (natsA - a) ** 2;
    varianceB += (natsB - b) ** 2;
    covariance += (natsA - a) * (natsB - b);
  });
  const scale = 1 / tokens / (tokens - 1);
  const [pplA, pplB] = [Math.exp(a), Math.exp(b)];
  const error = (weightA: number, weightB: number): number =>
    Math.sqrt(
      Math.max(
        0,
        (weightA ** 2 * varianceA + weightB ** 2 * varianceB - 2 * weightA * weightB * covariance) *
          scale,
      ),
    );
  return {
    lnRatio: a - b,
    differenceError: error(pplA, pplB),
    lnRatioError: error(1, 1),
  };
}

function eachPair(
  readings: readonly DocumentReading[],
  visit: (own: number, other: number) => void,
): void {
  for (const { model, base } of readings) {
    if (base !== null) model.nats.forEach((nats, at) => visit(nats, base.nats[at]));
  }
}
