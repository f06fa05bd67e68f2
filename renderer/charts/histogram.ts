import { line, max, scaleLinear, scaleSymlog } from 'd3';
import { blank, legend, round, rule, tickText, write } from './frame.ts';

/** How often values fall into bins of equal width. */
export interface Bins {
  readonly label: string;
  readonly color: string;
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

const left = 56;
const right = 8;
const plot = 112;

/**
 * Draws what is now as an area and what was before as a line over it. Counts are logarithmic above
 * one, so that the few large values stay in sight beside the many small ones.
 */
export function drawHistogram(
  svg: SVGSVGElement,
  picture: { now: Bins; before: Bins | null },
  width: number,
): void {
  const now = widened(picture.now);
  const before = picture.before && widened(picture.before);
  const all = before ? [now, before] : [now];
  const root = blank(svg, width, 0);
  write(root, left, 8, 'Weights per bin, logarithmic');
  const top = 24 + legend(root, all, { left, top: 16, width: width - left - right });
  const height = top + plot + 24;
  root.attr('viewBox', `0 0 ${width} ${height}`).attr('height', height);

  const least = Math.min(...all.map(({ from }) => from));
  const most = Math.max(...all.map(({ to }) => to));
  const x = scaleLinear([least, most], [left, Math.max(left + 16, width - right)]);
  const highest = max(all, ({ counts }) => max(counts)) || 1;
  const y = scaleSymlog([0, highest], [top + plot, top]);
  for (const tick of [0, ...decades(highest)]) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  for (const tick of x.ticks(Math.max(2, Math.floor(width / 96)))) {
    write(root, x(tick), top + plot + 12, tickText(tick), 'middle');
  }
  const outline = (bins: Bins): string | null => {
    const size = (bins.to - bins.from) / Math.max(1, bins.counts.length);
    const corners = bins.counts.flatMap((count, index): [number, number][] => [
      [x(bins.from + index * size), y(count)],
      [x(bins.from + (index + 1) * size), y(count)],
    ]);
    const path = line(
      ([at]) => round(at),
      ([, up]) => round(up),
    );
    return path([[x(bins.from), y(0)], ...corners, [x(bins.to), y(0)]]);
  };
  root.append('path').attr('d', outline(now)).attr('fill', now.color).attr('fill-opacity', 0.5);
  if (before) {
    root
      .append('path')
      .attr('d', outline(before))
      .attr('fill', 'none')
      .attr('stroke', before.color)
      .attr('stroke-width', 1.5);
  }
}

/** Bins that can be seen even where all values are the same. */
const widened = (bins: Bins): Bins =>
  bins.to > bins.from ? bins : { ...bins, from: bins.from - 0.5, to: bins.to + 0.5 };

/** 1, 10, 100 … up to the largest count; every other one where there are many. */
function decades(most: number): number[] {
  const last = Math.floor(Math.log10(most));
  const every = last > 4 ? 2 : 1;
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, index) => 10 ** (index * every));
}
