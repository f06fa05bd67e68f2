import { describe, expect, it } from 'vitest';
import type { BenchRecord } from '../../../preload/contract/index.ts';
import {
  fileName,
  formatChange,
  formatFigure,
  formatMs,
} from '../../../renderer/views/bench/benchWords.ts';
import { showAll } from '../../../renderer/views/bench/shown.ts';
import { benchOf } from '../fakeMeasurements.ts';
import { records } from '../fakeModels.ts';

const [tiny, large] = records as unknown as [(typeof records)[0], (typeof records)[0]];

const figure = (unit: Parameters<typeof formatFigure>[0]['unit'], value: number) =>
  formatFigure({ key: '', name: '', unit, value, note: '', less: true }, value);

const measuredOn = (id: number, day: number): BenchRecord =>
  benchOf(tiny, 12, { id, measuredAt: Date.UTC(2026, 1, day) });

describe('words of the bench', () => {
  it('give times three digits that count', () => {
    expect([0.0043, 0.482, 12.44, 480, 1834].map(formatMs)).toEqual([
      '0.004 ms',
      '0.482 ms',
      '12.4 ms',
      '480 ms',
      '1.83 s',
    ]);
  });

  it('tell a change that is more than the noise between runs', () => {
    expect([1, 1.01, 1.12, 0.8, 2.5, 0.1, Infinity].map((ratio) => formatChange(ratio))).toEqual([
      null,
      null,
      '12 % more',
      '20 % less',
      '2.5× more',
      '90 % less',
      null,
    ]);
  });

  it('give every figure its unit', () => {
    expect([
      figure('bytes', 4.5e6),
      figure('tokens per second', 3975),
      figure('joules', 0.0043),
      figure('joules', 1.5),
      figure('money', 0.0349),
      figure('money', 12_345),
    ]).toEqual(['4.50 MB', '3,975 tok/s', '4.30 mJ', '1.50 J', '0.0349', '12345']);
  });

  it('make names that a file system takes', () => {
    expect(fileName('/models/my model/int4')).toBe('-models-my-model-int4');
  });
});

describe('measurements beside each other', () => {
  it('have the colours of their models, and colours of their own where a model repeats', () => {
    const shown = showAll(
      [measuredOn(1, 3), benchOf(large, 12), measuredOn(2, 4), measuredOn(3, 5)],
      (model) => `of ${model}`,
    );
    expect(shown.map(({ label, color }) => [label, color])).toEqual([
      ['tiny-stories, 3 Feb', 'of tiny-stories'],
      ['SmolLM2-135M-Instruct', 'of SmolLM2-135M-Instruct'],
      ['tiny-stories, 4 Feb', 'var(--lathe-text)'],
      ['tiny-stories, 5 Feb', 'var(--lathe-bar)'],
    ]);
  });
});
