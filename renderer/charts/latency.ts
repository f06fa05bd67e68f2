import { area, line, max, range, scaleLinear, scaleLog, symbol, symbolCircle } from 'd3';
import { blank, legend, round, rule, tickText, write, type Root } from './frame.ts';

/** Times of one run, as `sortedTimes` gives them. */
export interface LatencySeries {
  readonly label: string;
  readonly color: string;
  /** Milliseconds, the shortest first. */
  readonly sorted: Float64Array;
  /** Percentiles that the samples carry. */
  readonly marks: readonly { readonly name: string; readonly share: number; readonly ms: number }[];
}

const left = 56;
const right = 8;
const shares = { height: 96 };
const cumulated = { height: 96 };
const between = 40;
/** A mark's name and value need so many pixels. */
const markWidth = 80;
/** A number below the axis needs so many pixels. */
const numberWidth = 40;

/** Sorted once, a distribution is drawn and asked without looking at every sample again. */
export const sortedTimes = (samples: ArrayLike<number>): Float64Array =>
  Float64Array.from(samples).toSorted();

/** How many of the sorted times are at most so long. */
export function countUpTo(sorted: Float64Array, ms: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Draws how often each time came, and below it the share of times up to it. Equal ratios of time are
 * equal distances, so that a long tail does not press all else to the left.
 */
export function drawLatency(
  svg: SVGSVGElement,
  series: readonly LatencySeries[],
  width: number,
): void {
  const root = blank(svg, width, 0);
  const names = legend(root, series, { left, top: 0, width: width - left - right });
  const only = series.length === 1 ? series[0] : undefined;
  const top = names + (only ? 40 : 24);
  const below = top + shares.height + between;
  const bottom = below + cumulated.height;
  root.attr('viewBox', `0 0 ${width} ${bottom + 40}`).attr('height', bottom + 40);

  const x = xOf(series, width);
  const binned = series.map((each) => ({ ...each, bins: binsOf(each.sorted, x) }));
  const most = max(binned, ({ bins }) => max(bins, ({ share }) => share)) || 1;
  const y = scaleLinear([0, most], [top + shares.height, top]).nice(3);
  const whole = scaleLinear([0, 1], [bottom, below]);
  write(root, left, names + 8, 'Share of the samples in each bin');
  write(root, left, below - 12, 'Share of the samples up to a time');
  drawShares(root, y, y.ticks(3), width);
  drawShares(root, whole, [0, 0.25, 0.5, 0.75, 1], width);
  for (const tick of ticksOf(x)) write(root, x(tick), bottom + 12, tickText(tick), 'middle');
  write(
    root,
    width - right,
    bottom + 28,
    'Inter-token latency in milliseconds, logarithmic',
    'end',
  );

  for (const { color, bins, sorted } of binned) {
    const corners = bins.flatMap(({ from, to, share }): [number, number][] => [
      [x(from), y(share)],
      [x(to), y(share)],
    ]);
    const fill = area(
      ([at]) => round(at),
      round(y(0)),
      ([, up]) => round(up),
    );
    const outline = line(
      ([at]) => round(at),
      ([, up]) => round(up),
    );
    root.append('path').attr('d', fill(corners)).attr('fill', color).attr('fill-opacity', 0.24);
    drawLine(root, color, outline(corners));
    const columns = range(left, Math.max(left + 16, width - right) + 1);
    drawLine(
      root,
      color,
      outline(columns.map((at) => [at, whole(shareUpTo(sorted, x.invert(at)))])),
    );
  }
  if (only) drawMarks(root, only, x, { top, below, bottom, width });
  for (const { color, marks } of series) {
    for (const { share, ms } of marks) {
      root
        .append('path')
        .attr('d', symbol(symbolCircle, 24)())
        .attr('transform', `translate(${round(x(ms))},${round(whole(share))})`)
        .attr('fill', color)
        .attr('stroke', 'var(--lathe-surface)');
    }
  }
}

/** The time at a place of the picture, in pixels from its left; null beside it. */
export function timeAt(series: readonly LatencySeries[], width: number, at: number): number | null {
  return at < left || at > width - right ? null : xOf(series, width).invert(at);
}

/** What share of the times is at most so long. */
export const shareUpTo = (sorted: Float64Array, ms: number): number =>
  sorted.length === 0 ? 0 : countUpTo(sorted, ms) / sorted.length;

function xOf(series: readonly LatencySeries[], width: number) {
  const filled = series.filter(({ sorted }) => sorted.length > 0);
  const least = Math.min(...filled.map(({ sorted }) => sorted[0] ?? 1));
  const most = Math.max(...filled.map(({ sorted }) => sorted.at(-1) ?? 1));
  // A clock may find that no time passed, which a logarithm cannot show.
  const from = Number.isFinite(least) ? Math.max(1e-4, least) : 1;
  const to = Number.isFinite(most) ? Math.max(most, from * 1.02) : 10;
  return scaleLog([from / 1.01, to * 1.01], [left, Math.max(left + 16, width - right)]);
}

/** As many numbers as there is room for, over several decades the rounder ones. */
function ticksOf(x: ReturnType<typeof xOf>): number[] {
  const [start = 0, end = 1] = x.range();
  const [from = 1, to = 10] = x.domain();
  const all = x.ticks(Math.max(2, Math.floor((end - start) / numberWidth)));
  const round125 = all.filter((tick) => [1, 2, 5].includes(Number(tick.toExponential()[0])));
  const kept: number[] = [];
  for (const tick of to / from > 8 ? round125 : all)
    if (kept.length === 0 || x(tick) - x(kept.at(-1) ?? 0) >= numberWidth) kept.push(tick);
  return kept;
}

interface Bin {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** As many bins as the samples fill, and the picture has room for. */
function binsOf(sorted: Float64Array, x: ReturnType<typeof xOf>): Bin[] {
  const [start = 0, end = 1] = x.range();
  const count = Math.max(8, Math.min(Math.ceil(Math.sqrt(sorted.length)) * 2, (end - start) / 4));
  const edges = range(0, Math.floor(count) + 1).map((edge) =>
    x.invert(start + (edge * (end - start)) / Math.floor(count)),
  );
  return edges.slice(1).map((to, index) => {
    const from = edges[index] ?? 0;
    return { from, to, share: shareUpTo(sorted, to) - shareUpTo(sorted, from) };
  });
}

function drawLine(root: Root, color: string, path: string | null): void {
  root
    .append('path')
    .attr('d', path)
    .attr('fill', 'none')
    .attr('stroke', color)
    .attr('stroke-width', 1.5);
}

function drawShares(
  root: Root,
  y: (share: number) => number,
  ticks: readonly number[],
  width: number,
): void {
  for (const tick of ticks) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), `${tickText(tick * 100)} %`, 'end');
  }
}

/** Lines at the percentiles, named above in a row in which no name covers another. */
function drawMarks(
  root: Root,
  { marks, color }: LatencySeries,
  x: (ms: number) => number,
  { top, below, bottom, width }: { top: number; below: number; bottom: number; width: number },
): void {
  // Each name leaves room for those before it at the left, and for those behind it at the right.
  const places: number[] = [];
  for (const [index, { ms }] of marks.entries()) {
    const first = markWidth / 2 + index * markWidth;
    const before = (places.at(-1) ?? -Infinity) + markWidth;
    const last = width - right - markWidth / 2 - (marks.length - 1 - index) * markWidth;
    places.push(Math.min(last, Math.max(first, before, x(ms))));
  }
  for (const [index, { name, ms }] of marks.entries()) {
    const foot = round(x(ms));
    const at = places[index] ?? foot;
    write(root, at, top - 16, `${name} ${tickText(Number(ms.toPrecision(3)))} ms`, 'middle');
    root
      .append('path')
      .attr(
        'd',
        `M${round(at)},${top - 8}L${foot},${top}v${shares.height}M${foot},${below}V${bottom}`,
      )
      .attr('fill', 'none')
      .attr('stroke', color)
      .attr('stroke-dasharray', '2 2');
  }
}
