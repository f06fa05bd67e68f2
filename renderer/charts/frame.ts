import { select, type Selection } from 'd3';

export type Root = Selection<SVGSVGElement, unknown, null, undefined>;

/** An empty picture of this size in pixels. */
export function blank(svg: SVGSVGElement, width: number, height: number): Root {
  const root = select(svg)
    .attr('viewBox', `0 0 ${width} ${height}`)
    .attr('width', width)
    .attr('height', height)
    .attr('font-size', 11);
  root.selectChildren().remove();
  return root;
}

/** A quiet line of text, its middle at `y`. */
export function write(root: Root, x: number, y: number, text: string, anchor = 'start'): void {
  root
    .append('text')
    .attr('x', round(x))
    .attr('y', round(y))
    .attr('dy', '0.35em')
    .attr('text-anchor', anchor)
    .attr('fill', 'var(--lathe-dim)')
    .text(text);
}

/** A line across the picture. */
export function rule(root: Root, from: readonly number[], to: readonly number[]) {
  const [x1 = 0, y1 = 0] = from;
  const [x2 = 0, y2 = 0] = to;
  return root
    .append('line')
    .attr('x1', round(x1))
    .attr('x2', round(x2))
    .attr('y1', round(y1))
    .attr('y2', round(y2))
    .attr('stroke', 'var(--lathe-line)');
}

export interface LegendEntry {
  readonly label: string;
  readonly color: string;
}

const longestLabel = 32;
const row = 16;
/** Wide enough for a character of most names. */
const characterWidth = 6.2;

/** Names of the colours in as many rows as they need; gives their height. */
export function legend(
  root: Root,
  entries: readonly LegendEntry[],
  { left, top, width }: { left: number; top: number; width: number },
): number {
  let x = left;
  let y = top + row / 2;
  for (const { label, color } of entries) {
    const text = label.length > longestLabel ? `…${label.slice(1 - longestLabel)}` : label;
    const needs = 16 + text.length * characterWidth + 16;
    if (x > left && x + needs > left + width) {
      x = left;
      y += row;
    }
    root
      .append('rect')
      .attr('x', round(x))
      .attr('y', round(y - 4))
      .attr('width', 8)
      .attr('height', 8)
      .attr('fill', color);
    write(root, x + 16, y, text);
    x += needs;
  }
  return entries.length === 0 ? 0 : y + row / 2 - top;
}

/** A number for an axis: few digits, never none. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size >= 10_000 || size < 0.001
      ? value.toExponential(0).replace('e+', 'e')
      : String(Number(value.toPrecision(4)));
  return text.replaceAll('-', '−');
}

export const round = (value: number): number => Math.round(value * 100) / 100;
