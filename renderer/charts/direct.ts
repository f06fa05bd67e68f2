import { extent, max, scaleLinear } from 'd3';
import { blank, round, rule, tickText, write } from './frame.ts';

/** What one part of the model adds to a logit. */
export interface Part {
  readonly label: string;
  readonly value: number;
}

const row = 16;
const labelWidth = 80;
const figureWidth = 40;

/** Draws a bar to the left or right of zero for every part, in the order they are added. */
export function drawDirect(svg: SVGSVGElement, parts: readonly Part[], width: number): void {
  const top = 24;
  const root = blank(svg, width, top + parts.length * row);
  write(root, 0, 8, 'Logit, by what wrote it');
  const [least = 0, most = 0] = extent(parts, ({ value }) => value);
  const right = Math.max(labelWidth + 16, width - figureWidth - 8);
  const x = scaleLinear([Math.min(0, least), Math.max(0, most) || 1], [labelWidth, right]);
  rule(root, [x(0), top], [x(0), top + parts.length * row]).attr(
    'stroke',
    'var(--lathe-line-strong)',
  );
  for (const [index, { label, value }] of parts.entries()) {
    const middle = top + index * row + row / 2;
    root
      .append('rect')
      .attr('x', round(Math.min(x(0), x(value))))
      .attr('y', middle - 4)
      .attr('width', round(Math.max(1, Math.abs(x(value) - x(0)))))
      .attr('height', 8)
      .attr('fill', value < 0 ? 'var(--lathe-less)' : 'var(--lathe-more)');
    write(root, labelWidth - 8, middle, label, 'end');
    write(root, width, middle, figure(value), 'end');
  }
}

const left = 24;
const gap = 2;

/** Draws what every head adds as a coloured place, a row for each layer. */
export function drawDirectHeads(
  svg: SVGSVGElement,
  layers: readonly (readonly number[])[],
  width: number,
): void {
  const columns = Math.max(1, ...layers.map((heads) => heads.length));
  const step = Math.min(24, Math.max(6, Math.floor((width - left) / columns)));
  const high = Math.min(step, 16);
  const top = 40;
  const height = top + layers.length * high + 32;
  const root = blank(svg, width, height);
  write(root, 0, 8, 'Logit, by layer and head');
  const size = max(layers.flat(), Math.abs) ?? 0;
  const every = Math.ceil(16 / step);
  for (let head = 0; head < columns; head += every) {
    write(root, left + (head + 0.5) * step, top - 10, String(head), 'middle');
  }
  for (const [layer, heads] of layers.entries()) {
    if (high >= 12 || layer % 2 === 0)
      write(root, left - 8, top + (layer + 0.5) * high, String(layer), 'end');
    for (const [head, value] of heads.entries()) {
      const share = size > 0 ? Math.abs(value) / size : 0;
      root
        .append('rect')
        .attr('x', left + head * step)
        .attr('y', top + layer * high)
        .attr('width', step - gap)
        .attr('height', high - gap)
        .attr('fill', value < 0 ? 'var(--lathe-less)' : 'var(--lathe-more)')
        .attr('fill-opacity', round(0.04 + 0.96 * share));
    }
  }
  const y = height - 12;
  const bar = 64;
  for (let at = 0; at < bar; at += 4) {
    const position = (at + 2) / bar;
    root
      .append('rect')
      .attr('x', left + 48 + at)
      .attr('y', y - 4)
      .attr('width', 4)
      .attr('height', 8)
      .attr('fill', position < 0.5 ? 'var(--lathe-less)' : 'var(--lathe-more)')
      .attr('fill-opacity', round(Math.abs(position - 0.5) * 2));
  }
  write(root, left + 40, y, figure(-size), 'end');
  write(root, left + 48 + bar + 8, y, figure(size));
}

const figure = (value: number): string => tickText(Number(value.toPrecision(3)));
