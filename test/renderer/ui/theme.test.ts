import { describe, expect, it } from 'vitest';
import { palette, type Scheme } from '../../../renderer/ui/theme.ts';
import { contrast } from './contrast.ts';

describe.each<Scheme>(['light', 'dark'])('the %s palette', (scheme) => {
  const colors = palette[scheme];
  const surfaces = ['ground', 'surface', 'raised', 'hover', 'accentSoft'] as const;
  const texts = ['text', 'dim', 'accent', 'good', 'warn', 'bad'] as const;

  it.each(surfaces.flatMap((surface) => texts.map((text) => [text, surface] as const)))(
    'lets %s be read on %s by AA',
    (text, surface) => {
      expect(contrast(colors[text], colors[surface])).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each([
    ['onAccent', 'accent'],
    ['text', 'badSoft'],
    ['dim', 'badSoft'],
    ['bad', 'badSoft'],
    ['text', 'warnSoft'],
    ['warn', 'warnSoft'],
    ['text', 'track'],
    ['text', 'thumb'],
    ['dim', 'track'],
  ] as const)('lets %s be read on %s by AA', (text, surface) => {
    expect(contrast(colors[text], colors[surface])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['bar', 'category1', 'category2', 'category3'] as const)(
    'lets the shape colour %s be told from its track',
    (shape) => {
      const least = shape === 'category2' ? 1.9 : 2.3;
      expect(contrast(colors[shape], colors.track)).toBeGreaterThanOrEqual(least);
    },
  );
});
