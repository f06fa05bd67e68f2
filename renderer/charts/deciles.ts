import { max, range, scaleBand, scaleLinear } from 'd3';
import { blank, legend, round, rule, tickText, write } from './frame.ts';

/** A mean for each tenth of the tokens, the rarest first; null where there are none. */
export interface DecileSeries {
  readonly label: string;
  readonly color: string;
  readonly means: readonly (number | null)[];
}

const left = 56;
const right = 8;
const plot = 128;

/** Draws, for each tenth of the tokens by how frequent they are, one bar per model. */
export function drawDeciles(
  svg: SVGSVGElement,
  series: readonly DecileSeries[],
  width: number,
): void {
  const root = blank(svg, width, 0);
  write(root, left, 8, 'Mean loss, nats per token');
  const top = 24 + legend(root, series, { left, top: 16, width: width - left - right });
  const height = top + plot + 40;
  root.attr('viewBox', `0 0 ${width} ${height}`).attr('height', height);

  const most = max(series, ({ means }) => max(means, (mean) => mean ?? 0)) || 1;
  const y = scaleLinear([0, most], [top + plot, top]).nice(4);
  const x = scaleBand(range(10), [left, Math.max(left + 16, width - right)]).padding(0.2);
  const each = scaleBand(range(series.length), [0, x.bandwidth()]).paddingInner(0.1);
  for (const tick of y.ticks(4)) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  for (const decile of range(10)) {
    const start = x(decile) ?? left;
    write(root, start + x.bandwidth() / 2, top + plot + 12, String(decile + 1), 'middle');
    for (const [index, { means, color }] of series.entries()) {
      const mean = means[decile] ?? null;
      if (mean === null) continue;
      root
        .append('rect')
        .attr('x', round(start + (each(index) ?? 0)))
        .attr('y', round(y(mean)))
        .attr('width', round(each.bandwidth()))
        .attr('height', round(top + plot - y(mean)))
        .attr('fill', color);
    }
  }
  write(root, left, top + plot + 28, '← rarer');
  write(
    root,
    width - right,
    top + plot + 28,
    'tenths of the tokens by frequency in this text',
    'end',
  );
}
