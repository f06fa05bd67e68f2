import { describe, expect, it } from 'vitest';
import { drawDeciles } from '../../../renderer/charts/deciles.ts';
import { drawEffects } from '../../../renderer/charts/effects.ts';
import { drawErrorGrid, gridSize, partAt } from '../../../renderer/charts/errorGrid.ts';
import { drawHistogram } from '../../../renderer/charts/histogram.ts';
import { drawLines, stepAt } from '../../../renderer/charts/lines.ts';
import {
  drawStrip,
  drawStripCursor,
  positionAt,
  type Strip,
} from '../../../renderer/charts/strip.ts';
import { svgSurface } from '../../../renderer/charts/surface.ts';
import { blankSvg, linesOf, picture } from './picture.ts';

const drawn = (draw: (svg: SVGSVGElement) => void): string => {
  const svg = blankSvg();
  draw(svg);
  return linesOf(svg);
};

const figure = (value: number): string => value.toFixed(2);

describe('the strip', () => {
  const strip: Strip = {
    kl: [0, 0.1, 0.02, 0.41, 0.2],
    gain: [null, 0.1, -0.2, -0.62, 0.05],
    promptTokens: 2,
    divergence: 3,
  };

  it('draws KL and both signs of the difference, the end of the prompt, the divergence', async () => {
    await expect(drawn((svg) => drawStrip(svg, strip, 400))).toMatchFileSnapshot(picture('strip'));
  });

  it('draws two equal models as flat, without a divergence', async () => {
    const same = { ...strip, kl: [0, 0, 0], gain: [null, 0, 0], divergence: null };
    await expect(
      drawn((svg) => drawStrip(svg, { ...same, promptTokens: 3 }, 400)),
    ).toMatchFileSnapshot(picture('strip-same'));
  });

  it('has a cursor of its own, drawn in the middle of its token', () => {
    expect(drawn((svg) => drawStripCursor(svg, { count: 4, cursor: 1 }, 464))).toContain(
      'x1="206" x2="206"',
    );
  });

  it('has at a place the token that is drawn there', () => {
    expect([56, 120, 391, 40, 399].map((at) => positionAt(5, 400, at))).toEqual([
      0,
      0,
      4,
      null,
      null,
    ]);
  });
});

describe('lines', () => {
  it('draws several with their names', async () => {
    const lines = [
      { label: 'tiny-stories/int4-rtn', color: 'teal', values: [1, 0.99, 0.95] },
      { label: 'tiny-stories/int8', color: 'orange', values: [1, 1, 0.999] },
    ];
    const one = { caption: 'Cosine', steps: 'behind block', first: 0, lines };
    await expect(drawn((svg) => drawLines(svg, one, 400))).toMatchFileSnapshot(picture('lines'));
  });

  it('draws equal ratios as equal distances, what is not above zero left out', async () => {
    const lines = [{ label: 'a', color: 'teal', values: Float32Array.of(10, 1, 0.125, 0) }];
    const one = { caption: 'Values', steps: 'rank', first: 1, lines, logarithmic: true };
    await expect(drawn((svg) => drawLines(svg, one, 400))).toMatchFileSnapshot(
      picture('lines-logarithmic'),
    );
  });

  it('draws what is the same everywhere in the middle', async () => {
    const lines = [{ label: 'a', color: 'teal', values: [1, 1, 1] }];
    const one = { caption: 'Cosine', steps: 'block', first: 0, lines };
    await expect(drawn((svg) => drawLines(svg, one, 400))).toMatchFileSnapshot(
      picture('lines-flat'),
    );
  });

  it('has at a place the step that is drawn there', () => {
    expect([56, 224, 392, 20].map((at) => stepAt(3, 400, at))).toEqual([0, 1, 2, null]);
  });
});

describe('effects', () => {
  it('draws bars to both sides of zero in the order given, marked ones with a dot', async () => {
    const effects = [
      { label: 'blocks.2.mlp.down', value: 0.86, marked: true },
      { label: 'blocks.1.attn.o', value: -0.12 },
      { label: 'a label that is longer than its column', value: 0 },
    ];
    await expect(
      drawn((svg) => drawEffects(svg, { caption: 'Effect, nats', effects, figure }, 480)),
    ).toMatchFileSnapshot(picture('effects'));
  });

  it('draws its caption alone where there is nothing', async () => {
    await expect(
      drawn((svg) => drawEffects(svg, { caption: 'Effect, nats', effects: [], figure }, 480)),
    ).toMatchFileSnapshot(picture('effects-none'));
  });
});

describe('the histogram', () => {
  const now = {
    label: 'int4',
    color: 'var(--lathe-series2)',
    from: -1,
    to: 1,
    counts: [0, 10, 1000, 12, 1],
  };

  it('draws what was before as a line over what is now', async () => {
    const before = {
      label: 'float32',
      color: 'var(--lathe-series1)',
      from: -1,
      to: 1,
      counts: [1, 20, 900, 20, 1],
    };
    await expect(drawn((svg) => drawHistogram(svg, { now, before }, 400))).toMatchFileSnapshot(
      picture('histogram'),
    );
  });

  it('draws one alone, and values that are all the same', async () => {
    await expect(
      drawn((svg) => drawHistogram(svg, { now, before: null }, 400)),
    ).toMatchFileSnapshot(picture('histogram-alone'));
    const flat = { ...now, label: 'zeros', from: 0, to: 0, counts: [64] };
    await expect(
      drawn((svg) => drawHistogram(svg, { now: flat, before: null }, 400)),
    ).toMatchFileSnapshot(picture('histogram-flat'));
  });
});

it('deciles: a bar per model and tenth, none where there are no tokens', async () => {
  const series = [
    { label: 'base', color: 'teal', means: [5, 4, null, 3, 2.5, 2, 1.5, 1, 0.5, 0.2] },
    { label: 'variant', color: 'orange', means: [5.5, 4.2, null, 3, 3, 2, 1.6, 1, 0.5, 0] },
  ];
  await expect(drawn((svg) => drawDeciles(svg, series, 480))).toMatchFileSnapshot(
    picture('deciles'),
  );
});

describe('the error grid', () => {
  const grid = {
    rows: 8,
    columns: 16,
    gridRows: 2,
    gridColumns: 4,
    values: Float32Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0),
  };

  it('draws every part, those without an error too', async () => {
    await expect(
      drawn((svg) => {
        const { width, height } = gridSize(grid, 400);
        drawErrorGrid(svgSurface(svg, width, height), grid, 400);
      }),
    ).toMatchFileSnapshot(picture('error-grid'));
  });

  it('has at a point the part that is drawn there', () => {
    expect([partAt(grid, 400, [65, 25]), partAt(grid, 400, [391, 187])]).toEqual([
      { row: 0, column: 0 },
      { row: 1, column: 3 },
    ]);
    expect(partAt(grid, 400, [20, 40])).toBeNull();
  });
});
