import { describe, expect, it } from 'vitest';
import { drawCurves, stopAt } from '../../../renderer/charts/curves.ts';
import {
  countUpTo,
  drawLatency,
  shareUpTo,
  sortedTimes,
  timeAt,
  type LatencySeries,
} from '../../../renderer/charts/latency.ts';
import { drawMemoryTrace, memoryAt, momentAt } from '../../../renderer/charts/memoryTrace.ts';
import {
  blockAt,
  drawOperatorTimes,
  operatorColors,
} from '../../../renderer/charts/operatorTimes.ts';
import { blankSvg, linesOf, picture } from './picture.ts';

const size = (svg: SVGSVGElement): number => svg.querySelectorAll('*').length;

/** Times of about `ms` with a few long ones, the same every time. */
const times = (count: number, ms: number): number[] =>
  Array.from({ length: count }, (_, index) => {
    const at = (index * 0.618_033_988_75) % 1;
    return ms * (1 + 0.1 * at + 2 * at ** 60);
  });

function seriesOf(label: string, color: string, samples: readonly number[]): LatencySeries {
  const sorted = sortedTimes(samples);
  const mark = (name: string, share: number) => ({
    name,
    share,
    ms: sorted[Math.ceil(share * sorted.length) - 1] ?? 0,
  });
  return { label, color, sorted, marks: [mark('P50', 0.5), mark('P90', 0.9), mark('P99', 0.99)] };
}

describe('latency', () => {
  it('one run: histogram, cumulated share, percentiles named without covering each other', async () => {
    const svg = blankSvg();
    drawLatency(svg, [seriesOf('tiny-stories', 'teal', times(1000, 2))], 480);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('latency'));
  });

  it('two runs: shares, so that runs of different lengths can be compared', async () => {
    const svg = blankSvg();
    const runs = [
      seriesOf('tiny-stories', 'teal', times(500, 2)),
      seriesOf('tiny-stories/int4', 'orange', times(100, 1.4)),
    ];
    drawLatency(svg, runs, 480);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('latency-two'));
  });

  it('no samples, and samples that are all the same, are drawn without a number that is none', () => {
    const [none, same] = [blankSvg(), blankSvg()];
    drawLatency(none, [], 480);
    drawLatency(same, [seriesOf('a', 'teal', [2, 2, 2])], 480);
    expect(none.outerHTML + same.outerHTML).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('100,000 samples draw no more elements than 1,000 do', () => {
    const [few, many] = [blankSvg(), blankSvg()];
    drawLatency(few, [seriesOf('a', 'teal', times(1000, 2))], 480);
    drawLatency(many, [seriesOf('a', 'teal', times(100_000, 2))], 480);
    expect(size(many)).toBeLessThan(size(few) + 8);
    expect(many.outerHTML.length).toBeLessThan(30_000);
  });

  it('counts the times up to one as a look at every sample does', () => {
    const samples = times(997, 2);
    const sorted = sortedTimes(samples);
    for (const ms of [1.9, 2, 2.05, samples[17] ?? 0, 2.2, 9])
      expect(countUpTo(sorted, ms)).toBe(samples.filter((each) => each <= ms).length);
    expect(shareUpTo(sortedTimes([]), 1)).toBe(0);
  });

  it('the time at the left and right edge is just beyond the shortest and the longest', () => {
    const series = [seriesOf('a', 'teal', [1, 2, 4])];
    expect(timeAt(series, 480, 56)).toBeCloseTo(1 / 1.01, 10);
    expect(timeAt(series, 480, 472)).toBeCloseTo(4.04, 10);
    expect(timeAt(series, 480, 20)).toBeNull();
  });
});

describe('curves', () => {
  const curves = [
    {
      label: 'tiny-stories',
      color: 'teal',
      points: [
        { x: 16, y: 4, high: 5 },
        { x: 64, y: 12 },
        { x: 448, y: 80, high: 92 },
      ],
    },
    { label: 'int4', color: 'orange', points: [{ x: 64, y: 9 }] },
  ];

  it('stops from zero up, whiskers where a spread is known, a shape for each curve', async () => {
    const svg = blankSvg();
    drawCurves(svg, { caption: 'Time to first token, ms', stops: 'Prompt tokens', curves }, 480);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('curves'));
  });

  it('a single stop stands in the middle', async () => {
    const svg = blankSvg();
    const single = curves.slice(1);
    drawCurves(svg, { caption: 'Tokens per second', stops: 'Rows', curves: single }, 320);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('curves-single'));
  });

  it('the stop at a place is the nearest one', () => {
    expect([stopAt(curves, 480, 72), stopAt(curves, 480, 448), stopAt(curves, 480, 10)]).toEqual([
      16,
      448,
      null,
    ]);
  });
});

describe('memory over time', () => {
  const series = [
    {
      label: 'tiny-stories',
      color: 'teal',
      ms: [0, 100, 200, 300, 400],
      bytes: [4e7, 9e7, 1.1e8, 1.05e8, 1.05e8],
      phases: [
        { phase: 'load', startMs: 0 },
        { phase: 'prefill', startMs: 180 },
        { phase: 'decode', startMs: 190 },
      ],
    },
    {
      label: 'int4',
      color: 'orange',
      ms: [0, 100, 200],
      bytes: [4e7, 6e7, 6.1e7],
      phases: [{ phase: 'load', startMs: 0 }],
    },
  ];

  it('a line and a lane of phases for each run; a phase too short for its name goes without', async () => {
    const svg = blankSvg();
    drawMemoryTrace(svg, series, 480);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('memory-trace'));
  });

  it('many points are thinned without losing the peak', () => {
    const svg = blankSvg();
    const ms = Array.from({ length: 50_000 }, (_, index) => index);
    const bytes = ms.map((each) => (each === 31_337 ? 9e8 : 1e8));
    drawMemoryTrace(svg, [{ label: 'a', color: 'teal', ms, bytes, phases: [] }], 480);
    const path = svg.querySelector('path')?.getAttribute('d') ?? '';
    expect(path.split('L').length).toBeLessThan(970);
    // The plot of 128 pixels begins 40 below the top, and 900 MB lie at nine tenths or at its end.
    const highest = Math.min(
      ...path
        .split(/[ML]/)
        .slice(1)
        .map((point) => Number(point.split(',')[1])),
    );
    expect(highest).toBeLessThan(56);
  });

  it('tells what a run held at a time and what it did; nothing behind its end', () => {
    const [long, short] = series as [(typeof series)[0], (typeof series)[0]];
    expect(momentAt(series, 480, 56)).toBe(0);
    expect([memoryAt(long, 199), memoryAt(long, 400), memoryAt(short, 300)]).toEqual([
      { bytes: 9e7, phase: 'decode' },
      { bytes: 1.05e8, phase: 'decode' },
      null,
    ]);
  });
});

describe('times of operators', () => {
  const blocks = [
    { name: 'embed', parts: [{ operator: 'Gather', ms: 0.02 }] },
    ...[0, 1, 2].map((block) => ({
      name: String(block),
      parts: [
        { operator: 'GroupQueryAttention', ms: 0.05 + block / 100 },
        { operator: 'MatMul', ms: 0.12 },
        { operator: 'MatMul', ms: 0.1 },
      ],
    })),
    { name: 'head', parts: [{ operator: 'MatMul', ms: 0.3 }] },
  ];

  it('a bar for each block, the operator that takes most at its foot', async () => {
    const svg = blankSvg();
    drawOperatorTimes(svg, { caption: 'Milliseconds per decode step', blocks }, 480);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('operator-times'));
  });

  it('operators behind the sixth are told together', () => {
    const parts = Array.from({ length: 9 }, (_, index) => ({
      operator: `Op${index}`,
      ms: 9 - index,
    }));
    expect([...operatorColors([{ name: '0', parts }]).keys()]).toEqual([
      'Op0',
      'Op1',
      'Op2',
      'Op3',
      'Op4',
      'Op5',
      'others',
    ]);
  });

  it('the block at a place is the one that is drawn there', () => {
    expect([blockAt(blocks, 480, 60), blockAt(blocks, 480, 470), blockAt(blocks, 480, 20)]).toEqual(
      [0, 4, null],
    );
  });
});
