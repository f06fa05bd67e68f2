import { describe, expect, it } from 'vitest';
import {
  drawDivergence,
  drawDivergenceCursor,
  laneAt,
  layOutDivergence,
  tokenAt,
} from '../../../renderer/charts/divergence.ts';
import { drawHistory, type HistoryPanel } from '../../../renderer/charts/history.ts';
import { placeLabels } from '../../../renderer/charts/labels.ts';
import {
  axisAt,
  brushBetween,
  drawParallel,
  layOutParallel,
  linesWithin,
  type ParallelPicture,
} from '../../../renderer/charts/parallel.ts';
import { drawPointed, drawScatter } from '../../../renderer/charts/scatter.ts';
import {
  dotAt,
  dotsWithin,
  layOutScatter,
  movedBy,
  zoomedAt,
  type ScatterPicture,
} from '../../../renderer/charts/scatterLayout.ts';
import { svgSurface, type Surface } from '../../../renderer/charts/surface.ts';
import { blankSvg, linesOf, picture } from './picture.ts';

const size = { width: 560, height: 360 };

/** What a chart for a canvas draws, as an SVG. */
function drawn(draw: (surface: Surface) => void, { width, height } = size): string {
  const svg = blankSvg();
  draw(svgSurface(svg, width, height));
  return linesOf(svg);
}

const dot = (key: string, x: number, y: number, part: object = {}) => ({
  key,
  label: key,
  x,
  y,
  xRange: null,
  yRange: null,
  color: 'teal',
  shape: 0,
  ...part,
});

const scatter: ScatterPicture = {
  dots: [
    dot('fp32', 4.8, 3.9, { yRange: [3.8, 4], color: 'black' }),
    dot('int8', 3.1, 3.91, { xRange: [3, 3.25], yRange: [3.8, 4.02] }),
    dot('int4-gptq', 2.2, 4.02, { xRange: [2.1, 2.3], yRange: [3.93, 4.1], color: 'orange' }),
    dot('int4-rtn', 2.25, 4.15, { color: 'orange', shape: 1 }),
  ],
  families: ['llama'],
  x: {
    title: 'Decode P50 (ms)',
    better: 'lower',
    logarithmic: false,
    goals: [{ at: 3, relation: 'at-most' }],
  },
  y: {
    title: 'Perplexity',
    better: 'lower',
    logarithmic: false,
    goals: [{ at: 4.1, relation: 'at-most' }],
  },
  front: new Set(['fp32', 'int8', 'int4-gptq']),
  selected: new Set(),
  view: null,
};

describe('scatter', () => {
  it('draws dots with intervals, the front, goals with what reaches them, and names', async () => {
    const layout = layOutScatter(scatter, size);
    await expect(drawn((surface) => drawScatter(surface, layout))).toMatchFileSnapshot(
      picture('scatter'),
    );
  });

  it('draws logarithmic axes, what is selected over what is not, and more as better', async () => {
    const layout = layOutScatter(
      {
        ...scatter,
        dots: [dot('a', 1, 0.5), dot('b', 10, 0.9), dot('c', 100, 0.95, { shape: 3 })],
        families: ['llama', 'phi', 'qwen', 'smol'],
        x: { title: 'File size (MB)', better: 'lower', logarithmic: true, goals: [] },
        y: {
          title: 'Top-1 agreement',
          better: 'higher',
          logarithmic: false,
          goals: [{ at: 0.8, relation: 'at-least' }],
        },
        front: new Set(['a', 'b', 'c']),
        selected: new Set(['b']),
      },
      size,
    );
    await expect(drawn((surface) => drawScatter(surface, layout))).toMatchFileSnapshot(
      picture('scatter-selected'),
    );
  });

  it('draws axes where there is nothing yet', async () => {
    const layout = layOutScatter({ ...scatter, dots: [], front: new Set() }, size);
    await expect(drawn((surface) => drawScatter(surface, layout))).toMatchFileSnapshot(
      picture('scatter-none'),
    );
  });

  it('shows the values under the pointer and the line that selects', async () => {
    const layout = layOutScatter(scatter, size);
    const marks = {
      key: 'int8',
      lines: ['int8', 'Decode P50 3.1 ms', 'Perplexity 3.91 ± 0.11'],
      lasso: [
        [100, 100],
        [200, 100],
        [200, 200],
      ] as const,
    };
    await expect(drawn((surface) => drawPointed(surface, layout, marks))).toMatchFileSnapshot(
      picture('scatter-pointed'),
    );
  });

  it('finds the dot that is drawn at a place, and those within a line around them', () => {
    const layout = layOutScatter(scatter, size);
    const [px, py] = layout.places[1]?.at ?? [0, 0];
    expect(dotAt(layout, [px + 3, py - 3])).toBe('int8');
    expect(dotAt(layout, [px + 40, py + 40])).toBeNull();
    const [left, top] = [layout.x(2), layout.y(4.2)];
    const [right, bottom] = [layout.x(2.5), layout.y(4)];
    const around = [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ] as const;
    expect(dotsWithin(layout, around)).toEqual(['int4-gptq', 'int4-rtn']);
    expect(dotsWithin(layout, around.slice(0, 2))).toEqual([]);
  });

  it('keeps what is under the pointer there while it zooms, and moves with the hand', () => {
    const layout = layOutScatter(scatter, size);
    const place = [200, 150] as const;
    const zoomed = layOutScatter({ ...scatter, view: zoomedAt(layout, place, 2) }, size);
    expect(zoomed.x.invert(200)).toBeCloseTo(layout.x.invert(200));
    expect(zoomed.y.invert(150)).toBeCloseTo(layout.y.invert(150));
    const moved = layOutScatter({ ...scatter, view: movedBy(layout, 30, -20) }, size);
    expect(moved.x(3)).toBeCloseTo(layout.x(3) + 30);
    expect(moved.y(4)).toBeCloseTo(layout.y(4) - 20);
  });
});

describe('labels', () => {
  it('lie over no other label and no dot, and stay inside', () => {
    const wishes = Array.from({ length: 60 }, (_, index) => ({
      text: `variant-${index}`,
      x: 20 + ((index * 37) % 260),
      y: 20 + ((index * 53) % 160),
    }));
    const room = { left: 0, top: 0, right: 300, bottom: 200 };
    const labels = placeLabels(
      wishes,
      wishes.map(({ x, y }) => [x, y] as const),
      room,
    );
    expect(labels.length).toBeGreaterThan(5);
    expect(labels.length).toBeLessThan(60);
    const boxes = labels.map(({ text, x, y }) => [x, y - 7, x + text.length * 6, y + 7] as const);
    for (const [index, [x0, y0, x1, y1]] of boxes.entries()) {
      expect(x0 >= 0 && y0 >= 0 && x1 <= 300 && y1 <= 200).toBe(true);
      for (const [a0, b0, a1, b1] of boxes.slice(index + 1))
        expect(x0 < a1 && a0 < x1 && y0 < b1 && b0 < y1).toBe(false);
      for (const { x, y } of wishes) expect(x > x0 && x < x1 && y > y0 && y < y1).toBe(false);
    }
  });
});

const parallel: ParallelPicture = {
  axes: [
    {
      key: 'ppl',
      title: 'Perplexity',
      unit: '',
      better: 'lower',
      logarithmic: false,
      brush: null,
    },
    {
      key: 'bytes',
      title: 'File size',
      unit: 'MB',
      better: 'lower',
      logarithmic: true,
      brush: [1, 5],
    },
    {
      key: 'top-1',
      title: 'Top-1 agreement',
      unit: '',
      better: 'higher',
      logarithmic: false,
      brush: null,
    },
  ],
  lines: [
    { key: 'a', color: 'teal', values: [3.9, 10, 1] },
    { key: 'b', color: 'orange', values: [4.2, 2, 0.9] },
    { key: 'c', color: 'black', values: [null, 1, 0.7] },
  ],
  selected: new Set(['b', 'c']),
};

describe('parallel axes', () => {
  it('draw a line per model, broken where nothing was measured, and the part of an axis chosen', async () => {
    const layout = layOutParallel(parallel, size);
    await expect(drawn((surface) => drawParallel(surface, layout))).toMatchFileSnapshot(
      picture('parallel'),
    );
  });

  it('choose what lies in the part between two heights of an axis, whichever comes first', () => {
    const layout = layOutParallel(parallel, size);
    expect([axisAt(layout, 72), axisAt(layout, 160), axisAt(layout, 280)]).toEqual([0, null, 1]);
    const y = layout.places[2]?.y;
    const between = brushBetween(layout, 2, [y?.(0.8) ?? 0, y?.(0.95) ?? 0]);
    expect(between?.map((value) => Number(value.toFixed(6)))).toEqual([0.8, 0.95]);
    expect(brushBetween(layout, 2, [1e6, -1e6])).toEqual([0.7, 1]);
    expect(linesWithin(parallel)).toEqual(['b', 'c']);
    const stricter = parallel.axes.map((axis) => ({
      ...axis,
      brush: axis.key === 'ppl' ? ([3, 5] as const) : axis.brush,
    }));
    expect(linesWithin({ ...parallel, axes: stricter })).toEqual(['b']);
  });
});

describe('divergence along a text', () => {
  const lanes = [
    { label: 'int4-rtn', color: 'orange', kl: Float32Array.of(0.1, 0.4, 0.02) },
    { label: 'int2', color: 'teal', kl: Float32Array.of(0.3, 1.7, 0.2) },
  ];
  const short = { tokens: ['Once', '␣upon', '␣a', '␣extraordinary'], lanes };

  it('is drawn to one scale with the tokens below', async () => {
    const layout = layOutDivergence(short, 480);
    await expect(
      drawn((surface) => {
        drawDivergence(surface, layout);
        drawDivergenceCursor(surface, layout, 2);
      }, layout),
    ).toMatchFileSnapshot(picture('divergence'));
  });

  it('is drawn without tokens where they have no room, and then scrolls', async () => {
    const many = Array.from({ length: 1200 }, (_, index) => `t${index}`);
    const kl = Float32Array.from({ length: 1199 }, (_, index) => (index * 37) % 100);
    const layout = layOutDivergence(
      { tokens: many, lanes: [{ label: 'int4', color: 'teal', kl }] },
      480,
    );
    expect(layout.width).toBe(3680);
    await expect(drawn((surface) => drawDivergence(surface, layout), layout)).toMatchFileSnapshot(
      picture('divergence-long'),
    );
  });

  it('finds the token and the variant at a place', () => {
    const layout = layOutDivergence(short, 480);
    expect([tokenAt(layout, 65), tokenAt(layout, 64 + 3.5 * 28), tokenAt(layout, 20)]).toEqual([
      0,
      3,
      null,
    ]);
    expect([laneAt(layout, 30), laneAt(layout, 100), laneAt(layout, 200)]).toEqual([0, 1, null]);
  });
});

describe('history', () => {
  const day = 86_400_000;
  const mark = (days: number, value: number, part: object = {}) => ({
    at: days * day,
    value,
    range: null,
    flag: 'none' as const,
    note: '',
    ...part,
  });
  const panels: HistoryPanel[] = [
    {
      title: 'Decode P50 (ms), 128 + 64 tokens',
      color: 'teal',
      marks: [
        mark(20_000, 6.3, { range: [6.1, 6.5] }),
        mark(20_060, 4.8, {
          range: [4.7, 4.9],
          flag: 'moved',
          note: 'onnxruntime 1.28.0 → 1.30.0',
        }),
        mark(20_090, 4.82, { flag: 'changed', note: 'lathe 0.1.0 → 0.2.0' }),
      ],
    },
    { title: 'Perplexity, stories', color: 'orange', marks: [mark(20_050, 3.9)] },
  ];

  it('draws values over time with flags where circumstances changed', async () => {
    const svg = blankSvg();
    drawHistory(svg, panels, 560);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('history'));
  });

  it('tells measurements of one day apart by their time', () => {
    const svg = blankSvg();
    const times = [5, 10].map((minute) => new Date(2026, 2, 1, 12, minute).getTime());
    const marks = times.map((at) => mark(0, 4, { at }));
    drawHistory(svg, [{ title: 'Perplexity, stories', color: 'teal', marks }], 560);
    const texts = Array.from(svg.querySelectorAll('text'), ({ textContent }) => textContent);
    expect(texts.slice(-2)).toEqual(['12:05', '12:10']);
  });

  it('draws a single measurement in the middle, and nothing where there is none', async () => {
    const svg = blankSvg();
    drawHistory(svg, panels.slice(1), 560);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('history-single'));
    drawHistory(svg, [], 560);
    expect(svg.children).toHaveLength(0);
  });
});
