import { expect, test } from 'vitest';
import { attentionFlow } from '../../../main/numeric/attention/maxFlow.ts';
import { withResidual } from '../../../main/numeric/attention/rollout.ts';
import { createRandom } from '../../../main/numeric/random.ts';

/** Causal rows that sum to 1, half of each its own. */
function randomLayers(layers: number, tokens: number, seed: number): Float64Array[] {
  const random = createRandom(seed);
  return Array.from({ length: layers }, () => {
    const pattern = new Float64Array(tokens * tokens);
    for (let row = 0; row < tokens; row++) {
      const start = row * tokens;
      for (let key = 0; key <= row; key++) pattern[start + key] = random.next() ** 3;
      const sum = pattern.subarray(start, start + tokens).reduce((a, b) => a + b, 0);
      for (let key = 0; key <= row; key++) pattern[start + key] /= sum;
    }
    return withResidual(pattern, tokens);
  });
}

/** The smallest cut between two nodes, over all ways to part the others (max-flow min-cut theorem). */
function smallestCut(layers: Float64Array[], tokens: number, from: number, to: number): number {
  const nodes = (layers.length + 1) * tokens;
  const source = layers.length * tokens + from;
  let smallest = Infinity;
  for (let part = 0; part < 2 ** nodes; part++) {
    const isIn = (node: number): boolean => ((part >> node) & 1) === 1;
    if (!isIn(source) || isIn(to)) continue;
    let cut = 0;
    layers.forEach((capacities, layer) => {
      for (let row = 0; row < tokens; row++) {
        if (!isIn((layer + 1) * tokens + row)) continue;
        for (let key = 0; key < tokens; key++) {
          if (!isIn(layer * tokens + key)) cut += capacities[row * tokens + key];
        }
      }
    });
    smallest = Math.min(smallest, cut);
  }
  return smallest;
}

test.each([1, 2, 3])('flow is the smallest cut between two tokens, seed %i', async (seed) => {
  const [tokens, depth] = [3, 3];
  const layers = randomLayers(depth, tokens, seed);
  const flows = await attentionFlow(layers, tokens);
  for (let from = 0; from < tokens; from++) {
    for (let to = 0; to < tokens; to++) {
      expect(flows[from * tokens + to]).toBeCloseTo(smallestCut(layers, tokens, from, to), 8);
    }
  }
});

test('through one layer the flow is its capacity, and nothing comes from later tokens', async () => {
  const [layer] = randomLayers(1, 5, 4);
  const flows = await attentionFlow([layer], 5);
  layer.forEach((capacity, at) => expect(flows[at]).toBeCloseTo(capacity, 8));
  const deep = await attentionFlow(randomLayers(4, 6, 5), 6);
  deep.forEach((flow, at) => expect(flow > 0).toBe(at % 6 <= Math.floor(at / 6)));
});

test('a text of more than 64 tokens is refused with its length', async () => {
  await expect(attentionFlow([], 65)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/64 tokens at most.*: 65$/),
  });
});
