import { extent, scaleLinear } from 'd3';
import { blank, round, rule, write } from './frame.ts';

/** One thing and what it does, to either side. */
export interface Effect {
  readonly label: string;
  readonly value: number;
  /** Set apart by a dot behind its figure. */
  readonly marked?: boolean;
}

const effectHeight = 24;

const columns = { label: 176, figure: 72, mark: 16 };
const longestLabel = 24;

export interface EffectsPicture {
  /** What the bars measure, with its unit. */
  readonly caption: string;
  readonly effects: readonly Effect[];
  readonly figure: (value: number) => string;
}

/** Draws one bar per thing to the left or right of zero, in the order given, below a caption. */
export function drawEffects(
  svg: SVGSVGElement,
  { caption, effects, figure }: EffectsPicture,
  width: number,
): void {
  const height = (effects.length + 1) * effectHeight;
  const root = blank(svg, width, height).attr('font-size', 12);
  write(root, 0, effectHeight / 2, caption);
  const [least = 0, most = 0] = extent(effects, ({ value }) => value);
  const right = Math.max(columns.label + 16, width - columns.figure - columns.mark);
  const x = scaleLinear([Math.min(0, least), Math.max(0, most) || 1], [columns.label, right]);
  rule(root, [x(0), effectHeight], [x(0), height]).attr('stroke', 'var(--lathe-line-strong)');
  for (const [index, { label, value, marked }] of effects.entries()) {
    const middle = (index + 1.5) * effectHeight;
    root
      .append('rect')
      .attr('x', round(Math.min(x(0), x(value))))
      .attr('y', middle - 4)
      .attr('width', round(Math.max(1, Math.abs(x(value) - x(0)))))
      .attr('height', 8)
      .attr('fill', value < 0 ? 'var(--lathe-less)' : 'var(--lathe-more)');
    root
      .append('text')
      .attr('y', middle)
      .attr('dy', '0.35em')
      .attr('font-family', 'var(--lathe-mono)')
      .attr('fill', 'var(--lathe-text)')
      .text(label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label);
    write(root, width - columns.mark, middle, figure(value), 'end');
    if (marked) {
      root
        .append('circle')
        .attr('cx', width - 5)
        .attr('cy', middle)
        .attr('r', 4)
        .attr('fill', 'var(--lathe-good)');
    }
  }
}
