import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Capture, Head } from '../../../preload/contract/index.ts';
import { codeOf, completion, lastOf, openWorkshop, type TestWorkshop } from './workshop.ts';

let workshop: TestWorkshop;
beforeAll(async () => void (workshop = await openWorkshop()));
afterAll(() => workshop.close());

const model = 'tiny-stories';
const text = 'Once upon a time, there was a little fox. The little fox';

async function capture(ablate: Head[], prompt = text): Promise<Capture> {
  const request = { model, prompt: completion(prompt), ablate };
  return (await lastOf(workshop.client.inspect.capture(request))).capture;
}

/** ln p of every token behind each position, in float64 from the graph's own logits. */
async function logProbabilities({ id }: Capture): Promise<Float64Array[]> {
  const { shape, data } = await workshop.client.inspect.values({ capture: id, hook: 'logits' });
  const size = shape.at(-1) ?? 0;
  return Array.from({ length: data.length / size }, (_, position) => {
    const logits = Float64Array.from(data.subarray(position * size, (position + 1) * size));
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
    return logits.map((logit) => logit - most - Math.log(sum));
  });
}

describe('predictions held against another capture', () => {
  test('are as far apart as the logits of the two say: KL over the whole vocabulary', async () => {
    const whole = await capture([]);
    const without = await capture([
      { layer: 0, head: 1 },
      { layer: 2, head: 3 },
    ]);
    const [p, q] = [await logProbabilities(whole), await logProbabilities(without)];
    const expected = p.map((row, position) =>
      row.reduce((sum, logP, id) => sum + Math.exp(logP) * (logP - (q[position]?.[id] ?? 0)), 0),
    );
    const found = await workshop.client.inspect.predictions({
      capture: without.id,
      against: whole.id,
    });
    expect(expected.some((kl) => kl > 0.01)).toBe(true);
    for (const [position, { kl }] of found.entries()) {
      expect(Math.abs((kl ?? Number.NaN) - (expected[position] ?? 0))).toBeLessThan(1e-4);
    }
  });

  test('say nothing of a distance that nobody asked for, and none from themselves', async () => {
    const whole = await capture([]);
    const { client } = workshop;
    const alone = await client.inspect.predictions({ capture: whole.id });
    expect(alone.every(({ kl }) => kl === undefined)).toBe(true);
    const self = await client.inspect.predictions({ capture: whole.id, against: whole.id });
    expect(Math.max(...self.map(({ kl }) => kl ?? 1))).toBeLessThan(1e-6);
  });

  test('refuse a capture of another text, and one that is not there', async () => {
    const whole = await capture([]);
    const other = await capture([], 'Something else');
    const against = (id: string) =>
      codeOf(workshop.client.inspect.predictions({ capture: whole.id, against: id }));
    expect(await against(other.id)).toBe('usage');
    expect(await against('nowhere')).toBe('not_found');
  });
});
