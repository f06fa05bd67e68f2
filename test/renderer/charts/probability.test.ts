import { describe, expect, it } from 'vitest';
import { probabilityColors, probabilityShade } from '../../../renderer/charts/probability.ts';
import { grounds, palette, type Scheme } from '../../../renderer/ui/theme.ts';
import { contrast } from '../ui/contrast.ts';

const shadeAt = (probability: number) => probabilityShade(Math.log(probability));

describe('the shade of a probability', () => {
  it('goes from 0.001 to 1 in equal steps of the logarithm', () => {
    expect([1, 0.1, 0.01, 0.001].map(shadeAt)).toEqual([8, 5, 3, 0]);
  });

  it('is the last one below 0.001, and for what is impossible', () => {
    expect([1e-9, 0].map(shadeAt)).toEqual([0, 0]);
  });

  it('never falls as the probability rises', () => {
    const shades = Array.from({ length: 1000 }, (_, index) => shadeAt((index + 1) / 1000));
    expect(shades).toEqual(shades.toSorted((a, b) => a - b));
  });
});

describe.each<Scheme>(['light', 'dark'])('the probability colours on %s', (scheme) => {
  const colors = probabilityColors(grounds[scheme]);

  it('leave text readable by AA', () => {
    for (const color of colors)
      expect(contrast(palette[scheme].text, color)).toBeGreaterThanOrEqual(4.5);
  });

  it('stand out from the surface the more, the less probable the token', () => {
    const against = colors.map((color) => contrast(palette[scheme].surface, color));
    expect(against[0]).toBeGreaterThan(1.4);
    expect(against).toEqual(against.toSorted((a, b) => b - a));
  });
});
