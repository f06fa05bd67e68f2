import { describe, expect, it } from 'vitest';
import { signedColors, signedShade } from '../../../renderer/charts/signed.ts';
import { palette, poles, type Scheme } from '../../../renderer/ui/theme.ts';
import { contrast } from '../ui/contrast.ts';

describe('the shade of a signed value', () => {
  it('lies as far from the middle as the value from zero, on its own side', () => {
    expect([-2, -1, -0.1, 0, 0.1, 1, 2].map((value) => signedShade(value, 2))).toEqual([
      0, 2, 4, 4, 4, 6, 8,
    ]);
  });

  it('is the last one beyond the largest, and the middle where all are zero', () => {
    expect([signedShade(-9, 1), signedShade(9, 1), signedShade(0, 0)]).toEqual([0, 8, 4]);
  });
});

describe.each<Scheme>(['light', 'dark'])('the colours of signed values on %s', (scheme) => {
  const colors = signedColors(poles[scheme]);

  it('leave text readable by AA', () => {
    for (const color of colors)
      expect(contrast(palette[scheme].text, color)).toBeGreaterThanOrEqual(4.5);
  });

  it('show nothing at zero and stand out more and more to both sides', () => {
    const against = colors.map((color) => contrast(palette[scheme].surface, color));
    expect(against[4]).toBe(1);
    const half = against.slice(4);
    expect(half).toEqual(half.toSorted((a, b) => a - b));
    expect(against.toReversed().slice(4)).toEqual(
      against
        .toReversed()
        .slice(4)
        .toSorted((a, b) => a - b),
    );
    expect(Math.min(against[0] ?? 0, against[8] ?? 0)).toBeGreaterThan(1.4);
  });
});
