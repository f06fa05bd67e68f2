import { max, scaleLinear, select } from 'd3';

/** How many nodes of one operator type a graph holds. */
export interface OperatorCount {
  readonly operator: string;
  readonly count: number;
}

const row = { height: 24, label: 232, figure: 40 };

/** Draws one bar per operator type, in the order given. */
export function drawOperators(
  svg: SVGSVGElement,
  counts: readonly OperatorCount[],
  width: number,
): void {
  const height = counts.length * row.height;
  const length = scaleLinear(
    [0, max(counts, ({ count }) => count) ?? 1],
    [0, Math.max(16, width - row.label - row.figure)],
  );
  const root = select(svg)
    .attr('viewBox', `0 0 ${width} ${height}`)
    .attr('width', width)
    .attr('height', height);
  root.selectChildren().remove();
  const rows = root
    .selectAll('g')
    .data(counts)
    .join('g')
    .attr('transform', (_, index) => `translate(0,${index * row.height})`)
    .attr('font-size', 12);
  rows
    .append('text')
    .attr('y', row.height / 2)
    .attr('dy', '0.35em')
    .attr('fill', 'var(--lathe-text)')
    .text(({ operator }) => operator);
  rows
    .append('rect')
    .attr('x', row.label)
    .attr('y', row.height / 2 - 4)
    .attr('width', ({ count }) => Math.round(length(count)))
    .attr('height', 8)
    .attr('fill', 'var(--lathe-bar)');
  rows
    .append('text')
    .attr('x', ({ count }) => row.label + Math.round(length(count)) + 8)
    .attr('y', row.height / 2)
    .attr('dy', '0.35em')
    .attr('fill', 'var(--lathe-dim)')
    .text(({ count }) => count.toLocaleString('en'));
}
