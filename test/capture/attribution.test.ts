import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerBehind,
  emptyToken,
  unitEffects,
  unitShares,
} from '../../main/capture/attribution.ts';
import type { TextUnit } from '../../main/capture/textUnits.ts';
import type { Decoder } from '../../main/inference/decoder.ts';
import { float64Tensors } from '../architectures/compare.ts';
import { referenceLlama } from '../architectures/referenceLlama.ts';
import { openTemporary } from '../evaluation/openTemporary.ts';
import { byteTokenizer } from '../models/byteTokenizer.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openFolder, openJson, TINY_STORIES } from '../tokenizer/samples.ts';

const { config, tensors, model } = tinyDecoder({ heads: 4, keyValueHeads: 2 });
const ids = [1, 7, 30, 12, 12, 25, 3];
let decoder: Decoder;

beforeAll(async () => {
  decoder = await openTemporary(model);
});
afterAll(() => decoder.close());

/** ln p behind a text by a float64 reference. */
function reference(text: readonly number[]): Float64Array {
  const { data } = referenceLlama(config, float64Tensors(tensors), text).get('logits')!;
  const row = data.slice(-Number(config['vocab_size']));
  const most = Math.max(...row);
  const sum = row.reduce((all, logit) => all + Math.exp(logit - most), 0);
  return row.map((logit) => logit - most - Math.log(sum));
}

const unit = (start: number, end: number): TextUnit => ({ start, end, text: '' });

describe('effects of the units of a text', () => {
  test.each([undefined, 9])(
    'are those of a float64 reference, with %s in their place',
    async (instead) => {
      const { target, logprob } = await answerBehind(decoder, ids, undefined);
      const own = reference(ids);
      expect(target).toBe(own.indexOf(Math.max(...own)));
      expect(logprob).toBeCloseTo(own[target], 4);
      const units = [unit(1, 2), unit(2, 5), unit(5, 6), unit(6, 7)];
      const options = { target, logprob, instead, fallback: 9 };
      const effects = await unitEffects(decoder, ids, units, options);
      units.forEach(({ start, end }, at) => {
        const filling = instead === undefined ? [] : ids.slice(start, end).map(() => instead);
        const text = [...ids.slice(0, start), ...filling, ...ids.slice(end)];
        expect(effects[at]).toBeCloseTo(own[target] - reference(text)[target], 4);
      });
    },
  );

  test('are of the token that was asked about', async () => {
    const answer = await answerBehind(decoder, ids, 4);
    expect(answer.target).toBe(4);
    expect(answer.logprob).toBeCloseTo(reference(ids)[4], 4);
    await expect(answerBehind(decoder, ids, 40)).rejects.toMatchObject({ code: 'usage' });
  });

  test('that leave nothing of a text are those of an empty place', async () => {
    const { target, logprob } = await answerBehind(decoder, [7, 8], undefined);
    const options = { target, logprob, fallback: 9 };
    const [effect] = await unitEffects(decoder, [7, 8], [unit(0, 2)], options);
    expect(effect).toBeCloseTo(reference([7, 8])[target] - reference([9, 9])[target], 4);
  });

  test('are not computed any further once cancelled', async () => {
    const stop = new AbortController();
    const options = { target: 1, logprob: 0, fallback: 9, signal: stop.signal };
    const effects = unitEffects(decoder, ids, [unit(1, 2), unit(2, 3)], {
      ...options,
      onProgress: () => stop.abort(),
    });
    await expect(effects).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('the token of an empty place is a space, a line break, or what is unknown', () => {
  const bytes = openJson(byteTokenizer.files['tokenizer.json']);
  expect(bytes.token(emptyToken(bytes)).text).toBe(' ');
  const stories = openFolder(TINY_STORIES);
  expect(stories.token(emptyToken(stories)).text).toMatch(/^[ \n]$/);
});

test('shares of attention add up over the tokens of a unit', () => {
  expect(unitShares([0.5, 0.25, 0.125, 0.125], [unit(0, 1), unit(1, 4)])).toEqual([0.5, 0.5]);
});
