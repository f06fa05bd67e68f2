import { describe, expect, test } from 'vitest';
import type { DataSet } from '../../main/evaluation/dataset.ts';
import { evaluate } from '../../main/evaluation/evaluate.ts';
import { createRandom } from '../../main/numeric/random.ts';
import type { Metric } from '../../preload/contract/evaluation.ts';
import { bigram } from './bigram.ts';

const sets: [DataSet, Metric[]][] = [
  [
    {
      kind: 'documents',
      items: ['abc abc', 'hgf', 'a', 'deadbeef cafe had a bad face'].map((text) => ({ text })),
    },
    ['perplexity', 'kl', 'rare-token-loss', 'calibration-error', 'delta-perplexity'],
  ],
  [
    {
      kind: 'choices',
      items: ['ab', 'cd', 'ef'].map((context, answer) => ({
        context,
        choices: ['a', 'bb', 'ccc'],
        answer,
      })),
    },
    ['accuracy', 'accuracy-norm'],
  ],
  [
    {
      kind: 'pairs',
      items: [
        { good: 'ab cd', bad: 'ba cd' },
        { good: 'face', bad: 'cafe' },
        { good: 'bad', bad: 'dab' },
      ],
    },
    ['minimal-pairs'],
  ],
  [
    {
      kind: 'continuations',
      items: ['ab', 'bc', 'cd'].map((prompt) => ({ prompt, continuation: 'da fa' })),
    },
    ['last-word', 'exact-match', 'f1', 'bleu', 'chrf'],
  ],
];

function tableOf(seed: number): number[][] {
  const random = createRandom(seed);
  const row = () => Array.from({ length: 10 }, () => Math.fround(2 * random.next()));
  return Array.from({ length: 10 }, row);
}

/** Never `ccc`: a sum of −∞ has to be kept, too. */
const never = (table: number[][]): number[][] => table.with(3, table[3].with(3, -Infinity));

describe.each(sets)('a measurement of $kind', (data, metrics) => {
  test.each([0, 1, 2, data.items.length])(
    'that goes on behind %i kept items ends with the same to the bit, and reads only the rest',
    async (done) => {
      let reads = 0;
      const table = data.kind === 'choices' ? never(tableOf(3)) : tableOf(3);
      const model = () => bigram(table, { onRead: () => reads++ });
      const subjects = () => ({ model: model(), base: bigram(tableOf(4)) });
      const request = { metrics, long: 'slide', seed: 0, fields: {} } as const;
      const all: unknown[] = [];
      const readsBefore = [0];
      const whole = await evaluate(subjects(), data, request, {
        kept: {
          readings: [],
          add(reading) {
            all.push(reading);
            readsBefore.push(reads);
          },
        },
      });
      const readsOfRest = reads - (readsBefore[done] ?? NaN);
      // As a file gives them back.
      const readings = (JSON.parse(JSON.stringify(all)) as unknown[]).slice(0, done);
      const rest: unknown[] = [];
      reads = 0;
      const resumed = await evaluate(subjects(), data, request, {
        kept: { readings, add: (reading) => void rest.push(reading) },
      });
      expect(resumed).toEqual(whole);
      expect([...readings, ...rest]).toEqual(all);
      expect(reads).toBe(readsOfRest);
    },
  );
});
