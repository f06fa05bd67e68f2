import { describe, expect, test } from 'vitest';
import { textLosses } from '../../main/evaluation/losses.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { bigram } from './bigram.ts';

function tableOf(seed: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () =>
    Array.from({ length: 10 }, () => Math.fround(2 * random.next())),
  );
}

const logP = (table: number[][], from: number, to: number): number =>
  table[from][to] - Math.log(table[from].reduce((sum, logit) => sum + Math.exp(logit), 0));

const windows = { window: 64, stride: 32 };
/** `a` is 1, `b` 2 …; a text begins with 0. */
const text = 'aaaaaabbbc';
const ids = [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3];

describe('losses of a text', () => {
  const [own, other] = [tableOf(1), tableOf(2)];

  test('are −ln p of every token but the first, and KL from the first model', async () => {
    const found = await textLosses(bigram(own), bigram(other), text, windows);
    expect(found.ids).toEqual(ids);
    ids.slice(1).forEach((id, at) => {
      expect(found.model.nats[at]).toBeCloseTo(-logP(own, ids[at], id), 5);
      expect(found.base?.nats[at]).toBeCloseTo(-logP(other, ids[at], id), 5);
      const kl = own[ids[at]].reduce((sum, _, to) => {
        const [p, q] = [logP(other, ids[at], to), logP(own, ids[at], to)];
        return sum + Math.exp(p) * (p - q);
      }, 0);
      expect(found.kl?.[at]).toBeCloseTo(kl, 5);
    });
  });

  test('are told apart by how often a token occurs in the text, the rarest first', async () => {
    const found = await textLosses(bigram(own), null, text, windows);
    // Middles of the occurrences among ten: c 0.5, b 1 … 4, a 4 … 10.
    expect(found.deciles.slice(1)).toEqual([7, 7, 7, 7, 7, 7, 2, 2, 2, 0]);
    const mean = (of: number) => {
      const some = [...found.model.nats].filter((_, at) => found.deciles[at + 1] === of);
      return some.reduce((sum, nats) => sum + nats, 0) / some.length;
    };
    const { byDecile } = found.model;
    for (const decile of [0, 2, 7]) expect(byDecile[decile]).toBeCloseTo(mean(decile), 5);
    expect(byDecile.filter((loss) => loss === null)).toHaveLength(7);
    expect([found.base, found.kl]).toEqual([null, null]);
  });

  test('refuse a text that has nothing to score', async () => {
    await expect(textLosses(bigram(own), null, '', windows)).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
