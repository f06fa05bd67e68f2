import { describe, expect, it } from 'vitest';
import {
  formatSaving,
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatParameters,
  formatRate,
  formatWhen,
  visible,
} from '../../../renderer/ui/format.ts';

describe('figures', () => {
  it('carry their unit and three significant digits', () => {
    expect([0, 999, 4_499_856, 269_060_552, 26_800_000_000].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '4.50 MB',
      '269 MB',
      '26.8 GB',
    ]);
    expect([999, 1_124_224, 134_515_008, 1_500_000_000].map(formatParameters)).toEqual([
      '999',
      '1.12 M',
      '135 M',
      '1.50 B',
    ]);
    expect([0.04, 9.96, 18.4, 999.4, 1000, 80_000].map(formatDuration)).toEqual([
      '0.0 ms',
      '10.0 ms',
      '18 ms',
      '999 ms',
      '1.0 s',
      '1 min 20 s',
    ]);
    expect([9.87, 208.4, 1234.5].map(formatRate)).toEqual(['9.9', '208', '1,235']);
    expect(formatCount(1_234_567)).toBe('1,234,567');
  });

  it('give the time for today and the date for before', () => {
    const now = new Date(2026, 2, 1, 18, 0).getTime();
    expect(formatWhen(new Date(2026, 2, 1, 9, 5).getTime(), now)).toBe('09:05');
    expect(formatWhen(new Date(2026, 1, 7, 9, 5).getTime(), now)).toBe('7 Feb');
    expect(formatMoment(new Date(2026, 1, 7, 9, 5).getTime())).toBe('7 Feb, 09:05');
  });
});

describe('a saving', () => {
  it('is a factor where it is large, percent where it is small, and absent where there is none', () => {
    const savings = [25, 95, 100, 120].map((after) => formatSaving(100, after));
    expect(savings).toEqual(['4.0× smaller', '5 % smaller', null, null]);
  });
});

describe('visible text', () => {
  it('shows spaces, line ends and what would hide', () => {
    expect(visible(' a\n\tb')).toBe('␣a↵⇥b');
    expect(visible('x\u200By\u202Ez\u0007')).toBe('x<200b>y<202e>z<0007>');
    expect(visible('')).toBe('∅');
  });
});
