import type { Sampling } from '../../../preload/contract/generation.ts';

/**
 * The rules once more, as plainly as can be: whole arrays, full sorts, float64, nothing shared with
 * the sampler. Gives the probability of every token (0 for those dropped).
 */
export function referenceProbabilities(
  rawLogits: readonly number[],
  sampling: Sampling,
  promptIds: readonly number[],
  generatedIds: readonly number[],
): number[] {
  const history = [...promptIds, ...generatedIds];
  let logits = rawLogits.map((logit, id) => logit + (sampling.logitBias[String(id)] ?? 0));
  logits = logits.map((logit, id) => {
    if (!history.includes(id)) return logit;
    return logit > 0 ? logit / sampling.repetitionPenalty : logit * sampling.repetitionPenalty;
  });
  logits = logits.map((logit, id) => {
    const count = generatedIds.filter((other) => other === id).length;
    if (count === 0) return logit;
    return logit - (sampling.presencePenalty + sampling.frequencyPenalty * count);
  });
  const n = sampling.noRepeatNgram;
  if (n > 0) {
    const tail = history.slice(history.length - (n - 1)).join();
    for (let end = n - 1; end < history.length; end += 1) {
      const before = history.slice(end - (n - 1), end).join();
      if (n === 1 || before === tail) logits[history[end]] = -Infinity;
    }
  }
  if (sampling.temperature === 0) {
    const best = logits.indexOf(Math.max(...logits));
    return logits.map((_, id) => (id === best ? 1 : 0));
  }
  const largest = Math.max(...logits);
  logits = logits.map((logit) => (logit - largest) / sampling.temperature);
  let probabilities = normalize(logits.map((logit) => Math.exp(logit)));
  if (sampling.topK > 0) {
    const order = ranked(logits.keys(), (id) => -logits[id]);
    probabilities = only(probabilities, order.slice(0, sampling.topK));
  }
  if (sampling.typicalP < 1) {
    const entropy = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
    const order = ranked(alive(probabilities), (id) =>
      Math.abs(-Math.log(probabilities[id]) - entropy),
    );
    probabilities = only(probabilities, until(order, probabilities, sampling.typicalP));
  }
  if (sampling.topP < 1) {
    const order = ranked(alive(probabilities), (id) => -probabilities[id]);
    probabilities = only(probabilities, until(order, probabilities, sampling.topP));
  }
  const least = sampling.minP * Math.max(...probabilities);
  return only(
    probabilities,
    [...alive(probabilities)].filter((id) => probabilities[id] >= least),
  );
}

function alive(probabilities: number[]): number[] {
  return [...probabilities.keys()].filter((id) => probabilities[id] > 0);
}

function ranked(ids: Iterable<number>, rank: (id: number) => number): number[] {
  return [...ids].toSorted((a, b) => rank(a) - rank(b) || a - b);
}

function until(order: number[], probabilities: number[], mass: number): number[] {
  let sum = 0;
  const kept: number[] = [];
  for (const id of order) {
    kept.push(id);
    sum += probabilities[id];
    if (sum >= mass) break;
  }
  return kept;
}

function only(probabilities: number[], ids: number[]): number[] {
  return normalize(probabilities.map((p, id) => (ids.includes(id) ? p : 0)));
}

function normalize(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
