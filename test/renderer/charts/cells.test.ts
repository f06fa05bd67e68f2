import { describe, expect, it } from 'vitest';
import {
  colorOf,
  divergingColors,
  figure,
  paint,
  placeOf,
  pooled,
  rangeOf,
  viridis,
} from '../../../renderer/charts/cells.ts';

const linear = { kind: 'linear', least: 0, most: 1 } as const;

/** Red, green, blue and opacity of a cell. */
const at = (rgba: Uint8ClampedArray, index: number) => [...rgba.subarray(index * 4, index * 4 + 4)];

describe('a scale of colours', () => {
  it('ends at the ends of viridis, and holds what is beyond them', () => {
    expect(colorOf(linear, viridis, 0)).toBe('#440154');
    expect(colorOf(linear, viridis, 1)).toBe('#fde725');
    expect(colorOf(linear, viridis, 7)).toBe('#fde725');
    expect(colorOf(linear, viridis, -7)).toBe('#440154');
  });

  it('makes equal ratios equal steps where it is logarithmic', () => {
    const log = { kind: 'log', least: 1e-4, most: 1 } as const;
    expect([0, 1e-4, 1e-2, 1].map((value) => placeOf(log, value))).toEqual([0, 0, 0.5, 1]);
  });

  it('has the ground in its middle where it shows a sign', () => {
    const shades = divergingColors('#0000ff', '#ffffff', '#ff0000');
    const scale = { kind: 'diverging', least: -2, most: 2 } as const;
    expect(colorOf(scale, shades, -2)).toBe('#0000ff');
    expect(colorOf(scale, shades, 2)).toBe('#ff0000');
    expect(colorOf(scale, shades, 0)).toMatch(/^#f[ef]f[ef]ff|#fff[ef]f[ef]$/);
  });
});

describe('painted cells', () => {
  it('let the ground show where a causal model hides: behind the diagonal, and −∞', () => {
    const data = Float32Array.of(1, 0, 0.5, -Infinity);
    const { rgba } = paint({ columns: 2, rows: 2, data }, linear, viridis);
    expect(at(rgba, 0)).toEqual([253, 231, 37, 255]);
    expect(at(rgba, 1)[3]).toBe(0);
    expect(at(rgba, 2)[3]).toBe(255);
    expect(at(rgba, 3)[3]).toBe(0);
  });

  it('show a weight behind the diagonal where a model has one', () => {
    const data = Float32Array.of(0.5, 0.5, 0.5, 0.5);
    const { rgba } = paint({ columns: 2, rows: 2, data }, linear, viridis);
    expect(at(rgba, 1)[3]).toBe(255);
  });
});

describe('painting many and colouring one', () => {
  it('give the same colour, on every scale and beyond its ends', () => {
    const data = Float32Array.from({ length: 400 }, (_, index) => (index - 40) / 300 || 1e-9);
    for (const scale of [
      linear,
      { kind: 'log', least: 1e-3, most: 0.7 },
      { kind: 'diverging', least: -0.1, most: 0.1 },
      { kind: 'linear', least: 0.5, most: 0.5 },
    ] as const) {
      const { rgba } = paint({ columns: 1, rows: data.length, data }, scale, viridis);
      const painted = Array.from(data, (_, index) =>
        at(rgba, index)
          .slice(0, 3)
          .map((part) => part.toString(16).padStart(2, '0'))
          .join(''),
      );
      expect(painted).toEqual(Array.from(data, (value) => colorOf(scale, viridis, value).slice(1)));
    }
  });
});

describe('pooling', () => {
  it('keeps the largest of each block, so that a thin line stays in sight', () => {
    const data = new Float32Array(25);
    for (let row = 0; row < 5; row += 1) data[row * 5 + row] = row + 1;
    const { columns, rows, data: small } = pooled({ columns: 5, rows: 5, data }, 2);
    expect([columns, rows]).toEqual([3, 3]);
    expect([...small]).toEqual([2, 0, 0, 0, 4, 0, 0, 0, 5]);
  });

  it('keeps what is masked masked only where a whole block is, and signs as they are', () => {
    const data = Float32Array.of(-Infinity, -Infinity, -3, 1, -Infinity, -Infinity, 2, 0);
    const { data: small } = pooled({ columns: 4, rows: 2, data }, 2);
    expect([...small]).toEqual([-Infinity, -3]);
  });

  it('leaves a map alone that is small enough', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(pooled({ columns: 2, rows: 2, data }, 1).data).toBe(data);
  });
});

describe('numbers', () => {
  it('range over what is finite', () => {
    expect(rangeOf(Float32Array.of(-Infinity, 2, -1, Number.NaN))).toEqual([-1, 2]);
    expect(rangeOf(Float32Array.of(-Infinity))).toEqual([0, 1]);
  });

  it('are written with three digits that count', () => {
    expect([0, 0.12345, -1.5, 0.00001234, 123456, -Infinity].map(figure)).toEqual([
      '0',
      '0.123',
      '−1.5',
      '1.2e−5',
      '1.2e5',
      '−∞',
    ]);
  });
});
