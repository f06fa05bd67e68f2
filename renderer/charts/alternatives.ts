import { scaleLinear, select } from 'd3';

/** One token that could have come here. */
export interface AlternativeRow {
  /** From 1 by probability; null when it lies behind those that were asked for. */
  readonly rank: number | null;
  /** The token's text with its spaces made visible. */
  readonly label: string;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
  /** Whether this is the token that was taken. */
  readonly chosen: boolean;
}

export const alternativeRowHeight = 24;

const columns = { rank: 16, label: 24, labelWidth: 104, figures: 112 };
const longestLabel = 13;

/** Draws one bar per token: rank, text, probability as length and percent, log-probability. */
export function drawAlternatives(
  svg: SVGSVGElement,
  rows: readonly AlternativeRow[],
  width: number,
): void {
  const height = rows.length * alternativeRowHeight;
  const left = columns.label + columns.labelWidth;
  const right = Math.max(left + 16, width - columns.figures);
  const length = scaleLinear([0, 1], [0, right - left]);
  const middle = alternativeRowHeight / 2;

  const root = select(svg)
    .attr('viewBox', `0 0 ${width} ${height}`)
    .attr('width', width)
    .attr('height', height);
  root.selectChildren().remove();
  const row = root
    .selectAll('g')
    .data(rows)
    .join('g')
    .attr('transform', (_, index) => `translate(0,${index * alternativeRowHeight})`)
    .attr('font-size', 12);
  row
    .append('rect')
    .attr('x', left)
    .attr('y', middle - 4)
    .attr('width', right - left)
    .attr('height', 8)
    .attr('fill', 'var(--lathe-track)');
  row
    .append('rect')
    .attr('x', left)
    .attr('y', middle - 4)
    .attr('width', ({ logprob }) => round(Math.max(1, length(Math.exp(logprob)))))
    .attr('height', 8)
    .attr('fill', ({ chosen }) => (chosen ? 'var(--lathe-accent)' : 'var(--lathe-bar)'));
  const text = (x: number, anchor: string, color: string, of: (row: AlternativeRow) => string) =>
    row
      .append('text')
      .attr('x', x)
      .attr('y', middle)
      .attr('dy', '0.35em')
      .attr('text-anchor', anchor)
      .attr('fill', color)
      .text(of);
  text(columns.rank, 'end', 'var(--lathe-dim)', ({ rank }) => (rank === null ? '–' : String(rank)));
  text(columns.label, 'start', 'var(--lathe-text)', ({ label }) => shorten(label))
    .attr('font-family', 'var(--lathe-mono)')
    .attr('font-weight', ({ chosen }) => (chosen ? 700 : 400));
  text(width - 56, 'end', 'var(--lathe-text)', ({ logprob }) => percent(Math.exp(logprob)));
  text(width, 'end', 'var(--lathe-dim)', ({ logprob }) => logprob.toFixed(2).replace('-', '−'));
}

const shorten = (label: string): string =>
  label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label;

function percent(probability: number): string {
  const value = probability * 100;
  return value < 0.1 ? '< 0.1 %' : `${value.toFixed(1)} %`;
}

const round = (value: number): number => Math.round(value * 100) / 100;
