import { describe, expect, it } from 'vitest';
import { arcsHeight, drawArcs, strongest, tokenAt } from '../../../renderer/charts/arcs.ts';
import { paint, viridis } from '../../../renderer/charts/cells.ts';
import { drawDirect, drawDirectHeads } from '../../../renderer/charts/direct.ts';
import {
  axisLabels,
  cellAt,
  drawHeatmap,
  drawHeatmapMarks,
  mapBox,
  movedBy,
  wholeMap,
  zoomed,
  type Heatmap,
} from '../../../renderer/charts/heatmap.ts';
import {
  drawLens,
  drawLensMarks,
  lensAt,
  lensBox,
  lensSize,
} from '../../../renderer/charts/lensGrid.ts';
import {
  drawHeadMarks,
  drawHeadValues,
  drawSheet,
  headAt,
  placeBox,
  sheetCells,
  sheetLayout,
  sheetSize,
  textOn,
} from '../../../renderer/charts/sheet.ts';
import { svgSurface, type Surface } from '../../../renderer/charts/surface.ts';
import { blankSvg, linesOf, picture } from './picture.ts';

/** What a chart for canvas draws, as a picture to compare. */
function drawn(width: number, height: number, draw: (surface: Surface) => void): string {
  const svg = blankSvg();
  draw(svgSurface(svg, width, height));
  return linesOf(svg);
}

const labels = ['The', '␣cat', '␣sat', '␣extraordinarily'];
const pattern = Float32Array.of(1, 0, 0, 0, 0.5, 0.5, 0, 0, 0.1, 0.8, 0.1, 0, 0.05, 0.15, 0.3, 0.5);
const linear = { kind: 'linear', least: 0, most: 1 } as const;
const cells = paint({ columns: 4, rows: 4, data: pattern }, linear, viridis);
const heatmap: Heatmap = {
  tokens: 4,
  labels,
  cells,
  window: wholeMap(4),
  scale: linear,
  shades: viridis,
  caption: 'attention weight',
};

/** Relative luminance of a colour, as WCAG has it. */
const luminance = (hex: string): number =>
  [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);

describe('a map of attention', () => {
  it('has a token at every row and column and says what its colours mean', async () => {
    const map = drawn(400, 360, (surface) => drawHeatmap(surface, heatmap, 400, 360));
    await expect(map).toMatchFileSnapshot(picture('heatmap'));
  });

  it('shows a part, sharp, and names only what is in it', async () => {
    const window = { x: 1.5, y: 2, size: 2 };
    const map = drawn(400, 360, (surface) =>
      drawHeatmap(surface, { ...heatmap, window }, 400, 360),
    );
    await expect(map).toMatchFileSnapshot(picture('heatmap-zoomed'));
  });

  it('marks the cell under the pointer and quiets all but one row', async () => {
    const box = mapBox(400, 360);
    const marks = drawn(400, 360, (surface) =>
      drawHeatmapMarks(
        surface,
        { box, window: wholeMap(4) },
        { pointed: { row: 2, column: 1 }, focus: { axis: 'row', index: 2 } },
      ),
    );
    await expect(marks).toMatchFileSnapshot(picture('heatmap-marks'));
  });

  it('collapses the names of an axis so that they stay readable', () => {
    const many = Array.from({ length: 100 }, (_, index) => `t${index}`);
    const all = axisLabels(many, wholeMap(100), 14);
    expect(all.slice(0, 2)).toEqual([
      { index: 0, text: 't0' },
      { index: 1, text: 't1' },
    ]);
    const few = axisLabels(many, wholeMap(100), 2);
    expect(few.map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, (_, index) => `${index * 10} t${index * 10}`),
    );
    const inside = axisLabels(many, { x: 13, y: 13, size: 20 }, 7);
    expect(inside.map(({ index }) => index)).toEqual([14, 16, 18, 20, 22, 24, 26, 28, 30, 32]);
  });

  it('finds the cell at a point, none beside the map, and the same one after zooming on it', () => {
    const box = { x: 100, y: 50, width: 200, height: 200 };
    expect(cellAt(box, wholeMap(4), 4, [160, 240])).toEqual({ column: 1, row: 3 });
    expect(cellAt(box, wholeMap(4), 4, [99, 60])).toBeNull();
    expect(cellAt(box, wholeMap(4), 4, [301, 60])).toBeNull();
    const closer = zoomed(wholeMap(100), 100, 0.25, [0.31, 0.77]);
    const point = [100 + 0.31 * 200, 50 + 0.77 * 200] as const;
    expect(cellAt(box, closer, 100, point)).toEqual(cellAt(box, wholeMap(100), 100, point));
  });

  it('never moves or zooms out of itself', () => {
    expect(movedBy({ x: 2, y: 2, size: 4 }, 10, -5, 50)).toEqual({ x: 0, y: 6, size: 4 });
    expect(zoomed({ x: 2, y: 2, size: 4 }, 10, 100)).toEqual(wholeMap(10));
    expect(zoomed(wholeMap(10), 10, 1e-9).size).toBe(4);
    expect(zoomed(wholeMap(2), 2, 0.5)).toEqual(wholeMap(2));
  });
});

describe('the sheet of heads', () => {
  const heads = [2, 1];
  const layout = { heads, side: 40 };
  const data = Float32Array.of(1, 0, 0.5, 0.5, 0.2, 0, 0.2, 0.1, 0.8, 0, 0.1, 0.4);
  const sheet = sheetCells(data, 2, heads);

  it('shows every head from nothing to its own largest weight, layers with fewer heads too', async () => {
    const size = sheetSize(layout);
    const all = drawn(size.width, size.height, (surface) =>
      drawSheet(surface, layout, { cells: sheet, size: 2 }),
    );
    await expect(all).toMatchFileSnapshot(picture('sheet'));
    // The largest of each thumbnail has the last colour, whatever its value.
    for (const [layer, head] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const)
      expect([...sheet.rgba.subarray((layer * sheet.columns + head) * 8).subarray(0, 4)]).toEqual([
        253, 231, 37, 255,
      ]);
  });

  it('colours heads by one value and leaves out what was not measured', async () => {
    const values = [[0.1, 0.9], [null]];
    const size = sheetSize(layout);
    const all = drawn(size.width, size.height, (surface) =>
      drawHeadValues(surface, layout, {
        values,
        scale: linear,
        shades: viridis,
        caption: 'Induction',
      }),
    );
    await expect(all).toMatchFileSnapshot(picture('head-values'));
  });

  it('marks heads: pointed at, shown, switched off, not looked for', async () => {
    const size = sheetSize(layout);
    const marks = drawn(size.width, size.height, (surface) =>
      drawHeadMarks(surface, layout, {
        pointed: { layer: 0, head: 0 },
        shown: { layer: 0, head: 1 },
        off: [{ layer: 1, head: 0 }],
        found: [{ layer: 0, head: 0 }],
      }),
    );
    await expect(marks).toMatchFileSnapshot(picture('head-marks'));
  });

  it('keeps numbers and legend in sight where it scrolls, and marks nothing over them', async () => {
    const many = { heads: [2, 2, 2, 2, 2], side: 40 };
    const values = many.heads.map((_, layer) => [layer / 5, 1]);
    const shown = { x: 0, y: 100, width: 140, height: 150 };
    const part = drawn(140, 320, (surface) => {
      const legend = { scale: linear, shades: viridis, caption: 'Sink' };
      drawHeadValues(surface, many, { values, ...legend }, shown);
      const marks = { pointed: null, off: [], found: null, shown: { layer: 1, head: 0 } };
      drawHeadMarks(surface, many, marks, shown);
    });
    await expect(part).toMatchFileSnapshot(picture('head-values-scrolled'));
  });

  it('finds the head at a point, none beside and none where a layer has fewer', () => {
    for (const place of [
      { layer: 0, head: 1 },
      { layer: 1, head: 0 },
    ]) {
      const { x, y } = placeBox(layout, place);
      expect(headAt(layout, [x + 5, y + 5])).toEqual(place);
    }
    const { x, y } = placeBox(layout, { layer: 1, head: 1 });
    expect(headAt(layout, [x + 5, y + 5])).toBeNull();
    expect(headAt(layout, [2, y])).toBeNull();
  });

  it('takes the room there is for its places, within limits', () => {
    const many = Array.from({ length: 24 }, () => 16);
    expect(sheetLayout(many, 900).side).toBe(49);
    expect(sheetLayout(many, 100).side).toBe(24);
    expect(sheetLayout([1], 4000).side).toBe(96);
  });

  it('writes on every colour of the scale so that it can be read', () => {
    for (let shade = 0; shade < 256; shade += 1) {
      const [red, green, blue] = viridis.subarray(shade * 3, shade * 3 + 3);
      const fill = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
      const [dark, light] = [luminance(fill), luminance(textOn(fill))].toSorted((a, b) => a - b);
      expect((light + 0.05) / (dark + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe('lines from token to token', () => {
  const arcs = { tokens: 4, labels, data: pattern, threshold: 0.3, pointed: null };

  const of = (side: 'from' | 'to', token: number) =>
    strongest({ ...arcs, threshold: 0.1, pointed: { side, token } }).lines.map(
      ({ from, to }) => `${from}→${to}`,
    );

  it('are as strong as the weights above the threshold', async () => {
    const whole = { x: 0, y: 0, width: 400, height: arcsHeight(4) };
    const lines = drawn(400, whole.height, (surface) => drawArcs(surface, arcs, 400, whole));
    await expect(lines).toMatchFileSnapshot(picture('arcs'));
  });

  it('are only those of the token pointed at, on its side', () => {
    expect(of('from', 1)).toEqual(['1→0', '1→1']);
    expect(of('to', 1)).toEqual(['3→1', '1→1', '2→1']);
  });

  it('are drawn no further than can be told apart, and all of them counted', () => {
    const tokens = 100;
    const data = new Float32Array(tokens * tokens).fill(0.5);
    const { lines, all } = strongest({ ...arcs, tokens, data });
    expect([lines.length, all]).toEqual([4000, 10_000]);
  });

  it('find the token at a point at either side, none between', () => {
    expect(tokenAt(4, 400, [20, 30])).toEqual({ side: 'from', token: 0 });
    expect(tokenAt(4, 400, [390, 50])).toEqual({ side: 'to', token: 1 });
    expect(tokenAt(4, 400, [200, 50])).toBeNull();
    expect(tokenAt(4, 400, [20, 500])).toBeNull();
  });
});

describe('the grid of the lens', () => {
  const logarithmic = { kind: 'log', least: 1, most: 100 } as const;
  const norms = Float32Array.from({ length: 12 }, (_, index) => 1 + index * 9);
  const lens = {
    rows: 3,
    positions: 4,
    labels,
    tops: (row: number, position: number) => `${row}.${position}`,
    values: Float32Array.from({ length: 12 }, (_, index) => index / 11),
    scale: linear,
    caption: 'probability of the final token',
    strip: {
      cells: paint({ columns: 4, rows: 3, data: norms }, logarithmic, viridis),
      scale: logarithmic,
      caption: 'residual norm',
    },
  };

  it('has the top token of every row and position in a colour it can be read on', async () => {
    const { width, height } = lensSize(lens);
    const grid = drawn(width, height, (surface) =>
      drawLens(surface, lens, { x: 0, y: 0, width, height }),
    );
    await expect(grid).toMatchFileSnapshot(picture('lens'));
  });

  it('marks a column and a cell, but not over the names beside them', async () => {
    const { height } = lensSize(lens);
    const marks = drawn(400, height, (surface) =>
      drawLensMarks(
        surface,
        { rows: 3, position: 1, pointed: { row: 2, position: 0 } },
        { x: 60, y: 0, width: 300, height },
      ),
    );
    await expect(marks).toMatchFileSnapshot(picture('lens-marks'));
  });

  it('draws no more than what is shown, its names at the edges', async () => {
    const { height } = lensSize(lens);
    const shown = { x: 150, y: 0, width: 120, height };
    const grid = drawn(400, height, (surface) => drawLens(surface, lens, shown));
    await expect(grid).toMatchFileSnapshot(picture('lens-scrolled'));
    expect(grid).not.toContain('1.3');
  });

  it('finds the cell at a point, none beside', () => {
    const { x, y } = lensBox({ row: 2, position: 3 });
    expect(lensAt(lens, [x + 1, y + 1])).toEqual({ row: 2, position: 3 });
    expect(lensAt(lens, [x + 100, y + 1])).toBeNull();
    expect(lensAt(lens, [10, y])).toBeNull();
  });
});

describe('direct logit attribution', () => {
  it('is a bar for every part, to both sides of zero', async () => {
    const svg = blankSvg();
    const parts = [
      { label: 'embedding', value: 1.25 },
      { label: '0 attention', value: -2 },
      { label: '0 mlp', value: 4 },
      { label: 'biases', value: 0 },
    ];
    drawDirect(svg, parts, 320);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('direct'));
  });

  it('is a colour for every head, as strong as its part is large', async () => {
    const svg = blankSvg();
    drawDirectHeads(svg, [[1, -0.5, 0], [0.25]], 320);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('direct-heads'));
  });
});
