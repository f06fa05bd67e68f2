import { describe, expect, it } from 'vitest';
import { createSlices } from '../../../renderer/state/slices.ts';

const square = (numbers: number) => async () => ({ tokens: 1, data: new Float32Array(numbers) });

describe('slices', () => {
  it('fetch what is asked for twice only once, even while the first is under way', async () => {
    const slices = createSlices(1000);
    let fetched = 0;
    const load = async () => {
      fetched += 1;
      return new Float32Array(1);
    };
    const [first, second] = await Promise.all([slices.get('a', load), slices.get('a', load)]);
    expect(second).toBe(first);
    expect(await slices.get('a', load)).toBe(first);
    expect(fetched).toBe(1);
  });

  it('let go what was not used for longest when they grow past the budget', async () => {
    const slices = createSlices(100);
    const first = await slices.get('a', square(10));
    await slices.get('b', square(10));
    await slices.get('a', square(10));
    await slices.get('c', square(10));
    expect(await slices.get('a', square(10))).toBe(first);
    const again = square(10);
    let refetched = false;
    await slices.get('b', () => {
      refetched = true;
      return again();
    });
    expect(refetched).toBe(true);
  });

  it('keep what is larger than the budget as long as it is the newest', async () => {
    const slices = createSlices(10);
    const large = await slices.get('a', square(100));
    expect(await slices.get('a', square(100))).toBe(large);
  });

  it('ask again after a failure, and after everything was let go', async () => {
    const slices = createSlices(100);
    await expect(slices.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const first = await slices.get('a', square(1));
    slices.clear();
    expect(await slices.get('a', square(1))).not.toBe(first);
  });
});
