import {
  line,
  max,
  scaleLinear,
  scaleLog,
  symbol,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolTriangle,
} from 'd3';
import { blank, legend, round, rule, tickText, write, type Root } from './frame.ts';

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** End of the whisker upwards; absent where nothing is known of the spread. */
  readonly high?: number | undefined;
}

export interface Curve {
  readonly label: string;
  readonly color: string;
  /** In the order of `x`. */
  readonly points: readonly CurvePoint[];
}

export interface CurvesPicture {
  /** What is drawn, with its unit. */
  readonly caption: string;
  /** What is varied. */
  readonly stops: string;
  readonly curves: readonly Curve[];
}

const left = 56;
const right = 16;
const plot = 144;
/** A number below the axis needs so many pixels. */
const numberWidth = 36;
/** Curves differ in more than their colours. */
const symbols = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond] as const;

/** Draws what was measured at each stop of a sweep, from zero up; a doubling is a step to the right. */
export function drawCurves(
  svg: SVGSVGElement,
  { caption, stops, curves }: CurvesPicture,
  width: number,
): void {
  const root = blank(svg, width, 0);
  const names = legend(root, curves, { left, top: 0, width: width - left - right });
  const top = names + 24;
  const bottom = top + plot;
  root.attr('viewBox', `0 0 ${width} ${bottom + 40}`).attr('height', bottom + 40);
  write(root, left, names + 8, caption);

  const most = max(curves, ({ points }) => max(points, ({ y, high }) => Math.max(y, high ?? 0)));
  const y = scaleLinear([0, most || 1], [bottom, top]).nice(4);
  for (const tick of y.ticks(4)) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tick < 1000 ? tickText(tick) : tick.toLocaleString('en'), 'end');
  }
  const x = xOf(curves, width);
  let free = -Infinity;
  for (const stop of stopsOf(curves)) {
    if (x(stop) < free) continue;
    free = x(stop) + numberWidth;
    write(root, x(stop), bottom + 12, stop.toLocaleString('en'), 'middle');
  }
  write(root, width - right, bottom + 28, `${stops}, logarithmic`, 'end');
  for (const [index, curve] of curves.entries()) drawCurve(root, curve, index, x, y);
}

/** The stop next to a place of the picture, in pixels from its left; null beside it. */
export function stopAt(curves: readonly Curve[], width: number, at: number): number | null {
  if (at < left - 16 || at > width) return null;
  const x = xOf(curves, width);
  const [nearest] = stopsOf(curves).toSorted((a, b) => Math.abs(x(a) - at) - Math.abs(x(b) - at));
  return nearest ?? null;
}

function drawCurve(
  root: Root,
  { color, points }: Curve,
  index: number,
  x: (stop: number) => number,
  y: (value: number) => number,
): void {
  const path = line<CurvePoint>(
    (point) => round(x(point.x)),
    (point) => round(y(point.y)),
  );
  root
    .append('path')
    .attr('d', path(points))
    .attr('fill', 'none')
    .attr('stroke', color)
    .attr('stroke-width', 1.5);
  const whiskers = points.flatMap(({ x: stop, y: value, high }) =>
    high === undefined ? [] : `M${round(x(stop))},${round(y(value))}V${round(y(high))}m-4,0h8`,
  );
  root.append('path').attr('d', whiskers.join('')).attr('stroke', color);
  const shape = symbol(symbols[index % symbols.length], 40)();
  for (const point of points) {
    root
      .append('path')
      .attr('d', shape)
      .attr('transform', `translate(${round(x(point.x))},${round(y(point.y))})`)
      .attr('fill', color)
      .attr('stroke', 'var(--lathe-surface)');
  }
}

const stopsOf = (curves: readonly Curve[]): number[] =>
  [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted((a, b) => a - b);

function xOf(curves: readonly Curve[], width: number) {
  const all = stopsOf(curves);
  const least = all[0] ?? 1;
  const most = all.at(-1) ?? 2;
  const domain = least === most ? [least / 2, most * 2] : [least, most];
  return scaleLog(domain, [left + 16, Math.max(left + 32, width - right - 16)]);
}
