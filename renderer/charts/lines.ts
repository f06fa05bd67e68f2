import { extent, line, range, scaleLinear, scaleLog } from 'd3';
import { blank, legend, round, rule, tickText, write } from './frame.ts';

export interface Line {
  readonly label: string;
  readonly color: string;
  /** One value per step, the first at `LinesPicture.first`. */
  readonly values: ArrayLike<number>;
}

export interface LinesPicture {
  /** What is drawn, with its unit. */
  readonly caption: string;
  /** What the steps count. */
  readonly steps: string;
  readonly first: number;
  readonly lines: readonly Line[];
  /** Equal ratios are equal distances; what is not above zero is left out. */
  readonly logarithmic?: boolean;
}

const left = 56;
const right = 8;
const plot = 128;
/** A number below the axis needs so many pixels. */
const numberWidth = 40;

/** Draws values against their place; lines are named where there are several. */
export function drawLines(
  svg: SVGSVGElement,
  { caption, steps, first, lines, logarithmic = false }: LinesPicture,
  width: number,
): void {
  const count = Math.max(1, ...lines.map(({ values }) => values.length));
  const isShown = (value: number): boolean => Number.isFinite(value) && (!logarithmic || value > 0);
  const all = lines.flatMap(({ values }) => Array.from(values).filter(isShown));
  const [least = logarithmic ? 0.1 : 0, most = 1] = extent(all);
  const root = blank(svg, width, 0);
  write(root, left, 8, caption);
  const named = lines.length > 1 ? lines : [];
  const top = 24 + legend(root, named, { left, top: 16, width: width - left - right }) + 8;
  const height = top + plot + 40;
  root.attr('viewBox', `0 0 ${width} ${height}`).attr('height', height);

  const x = scaleLinear([0, Math.max(1, count - 1)], [left, Math.max(left + 16, width - right)]);
  // What is the same everywhere is drawn in the middle.
  const margin = least === most ? Math.abs(least) * 0.1 || 1 : 0;
  const y = (
    logarithmic
      ? scaleLog([least / (margin ? 2 : 1), most * (margin ? 2 : 1)], [top + plot, top])
      : scaleLinear([least - margin, most + margin], [top + plot, top])
  ).nice(4);
  for (const tick of thinned(y.ticks(4))) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  const room = Math.max(1, Math.floor((width - left - right) / numberWidth));
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => count / size <= room);
  for (const step of range(0, count, every ?? 2000)) {
    write(root, x(step), top + plot + 12, String(first + step), 'middle');
  }
  write(root, width - right, top + plot + 28, steps, 'end');
  for (const [order, { color, values }] of lines.entries()) {
    const path = line<number>()
      .defined(isShown)
      .x((_, index) => round(x(index)))
      .y((value) => round(y(value)));
    root
      .append('path')
      .attr('d', path(Array.from(values)))
      .attr('fill', 'none')
      .attr('stroke', color)
      .attr('stroke-width', 1.5)
      .attr('stroke-linecap', 'round')
      // What lies under another line stays in sight between its dashes.
      .attr('stroke-dasharray', order === 0 ? null : '6 4');
  }
}

/** The step at a place of the picture, in pixels from its left; null beside it. */
export function stepAt(count: number, width: number, at: number): number | null {
  const share = (at - left) / Math.max(16, width - left - right);
  if (share < -0.02 || share > 1.02) return null;
  return Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))));
}

/** A logarithmic axis offers ten to a decade. */
const thinned = (ticks: readonly number[]): readonly number[] =>
  ticks.length <= 6 ? ticks : ticks.filter((tick) => /^1(0*)$|^0\.0*1$|^1e/.test(String(tick)));
