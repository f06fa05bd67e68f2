import { describe, expect, test } from 'vitest';
import type { DataSet } from '../../main/evaluation/dataset.ts';
import { evaluate } from '../../main/evaluation/evaluate.ts';
import { createRandom } from '../../main/numeric/random.ts';
import type { Metric } from '../../preload/contract/evaluation.ts';
import { bigram } from './bigram.ts';

const options = { long: 'slide', seed: 0, fields: {} } as const;

function tableOf(seed: number, scale = 2): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () =>
    Array.from({ length: 10 }, () => Math.fround(scale * random.next())),
  );
}

const logP = (table: number[][], from: number, to: number): number =>
  table[from][to] - Math.log(table[from].reduce((sum, logit) => sum + Math.exp(logit), 0));

const documents = (...texts: string[]): DataSet => ({
  kind: 'documents',
  items: texts.map((text) => ({ text })),
});

async function values(metrics: Metric[], data: DataSet, own: number[][], other?: number[][]) {
  const subjects = { model: bigram(own), base: other === undefined ? null : bigram(other) };
  return evaluate(subjects, data, { ...options, metrics });
}

const texts = ['abc abc', 'hgf', 'a', 'deadbeef cafe had a bad face '.trim()];
const idsOf = (text: string) => [
  0,
  ...Array.from(text, (letter) => 'abcdefgh '.indexOf(letter) + 1),
];
/** [before, token] of every token of every text. */
const steps = texts.map((text) =>
  idsOf(text)
    .slice(1)
    .map((id, at) => [idsOf(text)[at], id]),
);

const top = (row: number[]) => row.indexOf(Math.max(...row));
const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length;
/** After anything, token 1 with probability `p` and token 2 with the rest. */
function sure(p: number): number[][] {
  const row = Array<number>(10)
    .fill(-99)
    .with(1, Math.log(p))
    .with(2, Math.log(1 - p));
  return Array.from({ length: 10 }, () => row);
}
const refused = (promise: Promise<unknown>) =>
  promise.catch((error: unknown) => `${(error as { code: string }).code}: ${String(error)}`);

describe('documents', () => {
  test('perplexity and bits per byte add up over all tokens of all texts', async () => {
    const table = tableOf(1);
    const result = await values(['perplexity', 'bits-per-byte'], documents(...texts), table);
    const nats = steps.flat().reduce((sum, [from, to]) => sum - logP(table, from, to), 0);
    const tokens = steps.flat().length;
    expect(result.get('perplexity')?.value).toBeCloseTo(Math.exp(nats / tokens), 6);
    expect(result.get('bits-per-byte')?.value).toBeCloseTo(nats / Math.LN2 / tokens, 6);
    expect(result.get('perplexity')).toMatchObject({ n: 4, against: null, details: { tokens } });
  });

  test('windows over a text longer than the context score every token once', async () => {
    const table = tableOf(2);
    const text = 'abcdefgh'.repeat(9);
    const model = bigram(table, { capacity: 16 });
    const result = await evaluate({ model, base: null }, documents(text), {
      ...options,
      metrics: ['perplexity'],
    });
    const ids = idsOf(text);
    const nats = ids.slice(1).reduce((sum, id, at) => sum - logP(table, ids[at], id), 0);
    expect(result.get('perplexity')?.value).toBeCloseTo(Math.exp(nats / 72), 6);
    expect(result.get('perplexity')?.ci95).toBeNull();
    expect(result.get('perplexity')?.protocol).toContain('window=16/stride=8');
  });

  test('KL, top-1, Δ perplexity and first divergence equal the hand computation', async () => {
    const [own, other] = [tableOf(3), tableOf(4)];
    const metrics: Metric[] = ['kl', 'top-1', 'delta-perplexity', 'first-divergence', 'perplexity'];
    const result = await values(metrics, documents(...texts), own, other);
    const kls = steps
      .flat()
      .map(([from]) =>
        own[from].reduce((sum, _, id) => {
          const p = logP(other, from, id);
          return sum + Math.exp(p) * (p - logP(own, from, id));
        }, 0),
      )
      .toSorted((a, b) => a - b);
    expect(result.get('kl')?.value).toBeCloseTo(mean(kls), 6);
    expect(result.get('kl')?.details['max']).toBeCloseTo(kls.at(-1) ?? NaN, 6);
    expect(result.get('kl')?.details['median']).toBeCloseTo(
      kls[Math.round(0.5 * (kls.length - 1))],
      6,
    );
    const agrees = (from: number) => top(own[from]) === top(other[from]);
    expect(result.get('top-1')?.value).toBeCloseTo(
      mean(steps.flat().map(([from]) => (agrees(from) ? 1 : 0))),
      12,
    );
    const firsts = steps.map((list) => list.findIndex(([from]) => !agrees(from)));
    expect(result.get('first-divergence')?.value).toBeCloseTo(
      mean(firsts.map((at, text) => (at < 0 ? steps[text].length : at))),
      12,
    );
    const ppl = (table: number[][]) =>
      Math.exp(mean(steps.flat().map(([from, to]) => -logP(table, from, to))));
    const delta = result.get('delta-perplexity');
    expect(delta?.value).toBeCloseTo(ppl(own) - ppl(other), 5);
    expect(delta?.details['lnRatio']).toBeCloseTo(Math.log(ppl(own) / ppl(other)), 6);
    const losses = steps.flat().map(([f, t]) => logP(other, f, t) - logP(own, f, t));
    const spread = losses.reduce((sum, loss) => sum + (loss - mean(losses)) ** 2, 0);
    expect(delta?.details['lnRatioError']).toBeCloseTo(
      Math.sqrt(spread / losses.length / (losses.length - 1)),
      6,
    );
    expect(result.get('perplexity')?.against?.difference).toBeCloseTo(ppl(own) - ppl(other), 5);
  });

  test('calibration error is 0 where confidence is accuracy, and the gap where it is not', async () => {
    // After `a` come `a` and `b` equally often; `a` is the more probable by a hair.
    const text = documents('abababab', 'babababa');
    const even = await values(['calibration-error'], text, sure(0.5));
    expect(even.get('calibration-error')?.value).toBeCloseTo(0, 6);
    const over = await values(['calibration-error'], text, sure(0.9));
    expect(over.get('calibration-error')?.value).toBeCloseTo(0.4, 6);
  });

  test('rare tokens are those that occur least, and only their loss counts', async () => {
    const table = tableOf(5);
    const text = 'aaaaaaaaaaaaaaaaaah';
    const result = await values(['rare-token-loss'], documents(text), table);
    expect(result.get('rare-token-loss')?.value).toBeCloseTo(-logP(table, 1, 8), 6);
  });
});

describe('resampled texts', () => {
  test('without the rarest tokens say nothing of their loss', async () => {
    const table = tableOf(5);
    const text = documents('aaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa', 'h');
    const { value, ci95 } = (await values(['rare-token-loss'], text, table)).get(
      'rare-token-loss',
    )!;
    expect(value).toBeCloseTo(-logP(table, 0, 8), 6);
    expect(ci95).toEqual([value, value]);
  });

  test('of one token have no standard error', async () => {
    const result = await values(['delta-perplexity'], documents('a'), tableOf(3), tableOf(4));
    expect(Object.keys(result.get('delta-perplexity')!.details)).toEqual(['tokens', 'lnRatio']);
  });
});

describe('questions', () => {
  test('acc takes the largest sum of log-probabilities, acc_norm that per byte', async () => {
    // From any token `b` has p = 0.3 and `a` 0.2: `a` wins over `bb` by sum, `bb` per byte.
    const row = [...Array<number>(10).fill(Math.log(0.0625))].with(1, Math.log(0.2));
    const table = Array.from({ length: 10 }, () => row.with(2, Math.log(0.3)));
    const data: DataSet = {
      kind: 'choices',
      items: [
        { context: '', choices: ['bb', 'a'], answer: 0 },
        { context: '', choices: ['bb', 'a'], answer: 1 },
        { context: '', choices: ['a', 'bb'], answer: 1 },
      ],
    };
    const result = await values(['accuracy', 'accuracy-norm'], data, table);
    expect(result.get('accuracy')?.value).toBeCloseTo(1 / 3, 12);
    expect(result.get('accuracy-norm')?.value).toBeCloseTo(2 / 3, 12);
  });

  test('minimal pairs compare whole sentences; equals are wrong', async () => {
    const table = tableOf(6);
    const sum = (text: string) =>
      idsOf(text)
        .slice(1)
        .reduce((all, id, at) => all + logP(table, idsOf(text)[at], id), 0);
    const pairs = [
      { good: 'ab cd', bad: 'ba cd' },
      { good: 'face', bad: 'cafe' },
      { good: 'abc', bad: 'abc' },
    ];
    const result = await values(['minimal-pairs'], { kind: 'pairs', items: pairs }, table);
    const right = pairs.filter(({ good, bad }) => sum(good) > sum(bad)).length;
    expect(result.get('minimal-pairs')?.value).toBeCloseTo(right / 3, 12);
  });

  test('a last word is right where every token of it is the most probable', async () => {
    // a → space → b → c → a …
    const next: Record<number, number> = { 1: 9, 9: 2, 2: 3, 3: 1 };
    const table = Array.from({ length: 10 }, (_, from) =>
      Array.from({ length: 10 }, (_unused, to) => (next[from] === to ? 5 : 0)),
    );
    const items = [
      { prompt: 'a', continuation: 'bc' },
      { prompt: 'a ', continuation: 'bca' },
      { prompt: 'a', continuation: 'ba' },
    ];
    const data: DataSet = { kind: 'continuations', items };
    const result = await values(['last-word', 'exact-match', 'f1', 'chrf', 'bleu'], data, table);
    expect(result.get('last-word')?.value).toBeCloseTo(2 / 3, 12);
    expect(result.get('exact-match')?.value).toBeCloseTo(2 / 3, 12);
    expect(result.get('bleu')?.protocol).toContain('tok:13a|smooth:exp');
  });
});

describe('a measurement', () => {
  const metrics: Metric[] = ['perplexity', 'kl', 'rare-token-loss'];

  test('gives the same to the bit with one seed', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => values(metrics, documents(...texts), tableOf(7), tableOf(8))),
    );
    expect(first).toEqual(second);
  });

  test('of a model against itself finds no divergence and no difference', async () => {
    const result = await values(
      ['kl', 'top-1', 'perplexity'],
      documents(...texts),
      tableOf(7),
      tableOf(7),
    );
    expect(result.get('kl')).toMatchObject({ value: 0, ci95: [0, 0] });
    expect(result.get('top-1')?.value).toBe(1);
    expect(result.get('perplexity')?.against).toMatchObject({ difference: 0, pValue: 1 });
  });

  test('refuses what does not fit', async () => {
    const model = bigram(tableOf(1), { capacity: 8 });
    const long = { ...options, long: 'refuse' as const, metrics: ['perplexity' as const] };
    expect(await refused(evaluate({ model, base: null }, documents('a'.repeat(9)), long))).toMatch(
      'context_overflow: LatheError: the text is longer than the context: 10 tokens',
    );
    expect(await refused(values(['kl'], documents('a'), tableOf(1)))).toMatch(
      'usage: LatheError: a model to compare with is needed for this metric: kl',
    );
    expect(await refused(values(['accuracy'], documents('a'), tableOf(1)))).toMatch(
      'usage: LatheError: accuracy reads choices, the data are documents',
    );
  });

  test('ends soon after it is cancelled', async () => {
    const stop = new AbortController();
    let reads = 0;
    const model = bigram(tableOf(1), {
      onRead: () => {
        if (++reads === 2) stop.abort();
      },
    });
    const request = { ...options, metrics: ['perplexity' as const] };
    await expect(
      evaluate({ model, base: null }, documents(...texts), request, { signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(reads).toBe(2);
  });
});
