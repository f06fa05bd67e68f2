import { expect, test } from 'vitest';
import { attentionRollout, withResidual } from '../../../main/numeric/attention/rollout.ts';
import golden from '../../golden/rollout.json' with { type: 'json' };

const { att, rollout } = golden;

/** Mean of a layer's heads, flat. */
const meanOf = (heads: number[][][]): number[] =>
  heads[0].flatMap((row, i) =>
    row.map((_, j) => heads.reduce((sum, head) => sum + head[i][j], 0) / heads.length),
  );

test('rollout is the product of the mixed layers, as the golden vector has it', async () => {
  const found = await attentionRollout(att.map(meanOf), 5);
  rollout.flat().forEach((value, at) => expect(Math.abs(found[at] - value)).toBeLessThan(1e-6));
});

test('rows of a rollout sum to 1, and layers that look only at themselves change nothing', async () => {
  const found = await attentionRollout(att.map(meanOf), 5);
  for (let row = 0; row < 5; row++) {
    const sum = found.subarray(row * 5, row * 5 + 5).reduce((a, b) => a + b, 0);
    expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
  }
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  expect([...(await attentionRollout([identity, identity], 3))]).toEqual(identity);
});

test('half of what a position gets is its own, rows divided by their sum', () => {
  // The second row sums to less than 1, as with sinks.
  expect([...withResidual([1, 0, 0.25, 0.25], 2)]).toEqual([1, 0, 0.125 / 0.75, 0.625 / 0.75]);
});
