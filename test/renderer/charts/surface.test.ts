import { afterEach, describe, expect, it, vi } from 'vitest';
import { canvasSurface, type Cells } from '../../../renderer/charts/surface.ts';

afterEach(() => vi.unstubAllGlobals());

/** A context that writes down what is asked of it. */
function recording() {
  const calls: string[] = [];
  const target: Record<string, unknown> = {};
  const context = new Proxy(target, {
    get: (known, name: string) =>
      name in known
        ? known[name]
        : (...values: unknown[]) =>
            void calls.push(
              `${name}(${values.map((value) => (typeof value === 'object' ? 'bitmap' : (value as string))).join(',')})`,
            ),
    set(known, name: string, value) {
      known[name] = value;
      calls.push(`${name}=${String(value)}`);
      return true;
    },
  }) as unknown as CanvasRenderingContext2D;
  return { calls, surface: canvasSurface(context, (color) => color.replace('var(--a)', '#abc')) };
}

const cells: Cells = { columns: 2, rows: 2, rgba: new Uint8ClampedArray(16) };

/** Stands in for the browser's bitmap, and counts how many were made. */
function stubBitmaps(): { made: number } {
  const count = { made: 0 };
  vi.stubGlobal(
    'OffscreenCanvas',
    class {
      constructor() {
        count.made += 1;
      }
      getContext() {
        return { putImageData: () => {} };
      }
    },
  );
  vi.stubGlobal('ImageData', Object);
  return count;
}

describe('a canvas', () => {
  it('draws in the colours of the theme', () => {
    const { calls, surface } = recording();
    surface.rect({ x: 1, y: 2, width: 3, height: 4 }, 'var(--a)');
    expect(calls).toEqual(['fillStyle=#abc', 'fillRect(1,2,3,4)']);
  });

  it('draws cells with sharp edges, a part of them where it is asked for', () => {
    stubBitmaps();
    const { calls, surface } = recording();
    surface.cells({ x: 0, y: 0, width: 10, height: 10 }, cells, {
      x: 1,
      y: 0,
      width: 1,
      height: 2,
    });
    expect(calls).toEqual(['imageSmoothingEnabled=false', 'drawImage(bitmap,1,0,1,2,0,0,10,10)']);
  });

  it('makes the bitmap of cells once, however often they are drawn', () => {
    const bitmaps = stubBitmaps();
    const { surface } = recording();
    const fresh: Cells = { columns: 2, rows: 2, rgba: new Uint8ClampedArray(16) };
    for (let times = 0; times < 3; times += 1)
      surface.cells({ x: 0, y: 0, width: 9, height: 9 }, fresh);
    expect(bitmaps.made).toBe(1);
  });

  it('draws no cells where there are none', () => {
    const { calls, surface } = recording();
    const none = { columns: 0, rows: 0, rgba: new Uint8ClampedArray(0) };
    surface.cells({ x: 0, y: 0, width: 9, height: 9 }, none);
    expect(calls).toEqual([]);
  });

  it('turns text around its own place, and leaves the canvas as it was', () => {
    const { calls, surface } = recording();
    surface.text(10, 20, 'up', { color: 'red', turn: -90 });
    expect(calls.slice(-5)).toEqual([
      'save()',
      'translate(10,20)',
      `rotate(${-Math.PI / 2})`,
      'fillText(up,0,0)',
      'restore()',
    ]);
  });

  it('restores full opacity after a faint line', () => {
    const { calls, surface } = recording();
    surface.line([0, 0], [1, 1], { color: 'red', width: 1, opacity: 0.2 });
    expect(calls[0]).toBe('globalAlpha=0.2');
    expect(calls.at(-1)).toBe('globalAlpha=1');
  });
});
