import { expect, test } from 'vitest';
import type { Captured } from '../../main/capture/captured.ts';
import { openPatterns } from '../../main/capture/patterns.ts';
import { MASKED } from '../../main/passes/addedNodes.ts';

/** A capture of one head whose scores were kept. */
function keeping(scores: readonly number[], sink?: number): Captured {
  const sinks = sink === undefined ? null : Float32Array.of(sink);
  const attention = { kind: 'scores', scores: Float32Array.from(scores), sinks } as const;
  return {
    ids: [0, 1],
    ablated: [],
    layers: [{ heads: 1, keyValueHeads: 1, attention }],
    streams: [],
    mlp: [],
    bytes: 0,
    ms: { captured: 0, plain: 0 },
  };
}

const patterns = openPatterns(() => Promise.reject(new Error('kept scores need no runtime')));

test('scores that a graph masks by large numbers are shown as −∞, and take no attention', async () => {
  const captured = keeping([1, -Infinity, MASKED, 2]);
  const scores = await patterns.square(captured, 0, 0, 'scores');
  expect([...scores]).toEqual([1, -Infinity, -Infinity, 2]);
  expect([...(await patterns.square(captured, 0, 0))]).toEqual([1, 0, 0, 1]);
});

test('a sink takes the share that its score has', async () => {
  const pattern = await patterns.square(keeping([0, -Infinity, 0, Math.log(2)], 0), 0, 0);
  expect([...pattern]).toEqual([0.5, 0, 0.25, 0.5]);
});
