import { max, scaleBand, scaleLinear } from 'd3';
import { blank, legend, round, rule, tickText, write } from './frame.ts';

/** What one operator took in one block. */
export interface OperatorPart {
  readonly operator: string;
  readonly ms: number;
}

/** A block of the model, or what stands outside of all. */
export interface BlockTimes {
  readonly name: string;
  readonly parts: readonly OperatorPart[];
}

export interface OperatorTimesPicture {
  /** What is drawn, with its unit. */
  readonly caption: string;
  readonly blocks: readonly BlockTimes[];
}

const left = 56;
const right = 8;
const plot = 144;
/** As many operators as have a colour of their own; the rest are told together. */
const named = 6;
const rest = 'others';
/** A character of a name needs so many pixels. */
const characterWidth = 7;

/** Draws a bar for every block, its operators stacked, the one that takes most of the whole at the foot. */
export function drawOperatorTimes(
  svg: SVGSVGElement,
  { caption, blocks }: OperatorTimesPicture,
  width: number,
): void {
  const colors = operatorColors(blocks);
  const root = blank(svg, width, 0);
  const entries = [...colors].map(([label, color]) => ({ label, color }));
  const names = legend(root, entries, { left, top: 0, width: width - left - right });
  const top = names + 24;
  const bottom = top + plot;
  root.attr('viewBox', `0 0 ${width} ${bottom + 40}`).attr('height', bottom + 40);
  write(root, left, names + 8, caption);

  const most = max(blocks, ({ parts }) => parts.reduce((sum, { ms }) => sum + ms, 0));
  const y = scaleLinear([0, most || 1], [bottom, top]).nice(4);
  for (const tick of y.ticks(4)) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  const x = xOf(blocks, width);
  const order = [...colors.keys()];
  let free = -Infinity;
  for (const { name, parts } of blocks) {
    const start = round(x(name) ?? 0);
    let foot = 0;
    for (const { operator, ms } of grouped(parts, colors).toSorted(
      (a, b) => order.indexOf(a.operator) - order.indexOf(b.operator),
    )) {
      root
        .append('rect')
        .attr('x', start)
        .attr('y', round(y(foot + ms)))
        .attr('width', round(x.bandwidth()))
        .attr('height', round(y(foot) - y(foot + ms)))
        .attr('fill', colors.get(operator) ?? 'var(--lathe-bar)');
      foot += ms;
    }
    const half = (name.length * characterWidth) / 2;
    const middle = start + x.bandwidth() / 2;
    if (middle - half < free) continue;
    free = middle + half + 4;
    write(root, middle, bottom + 12, name, 'middle');
  }
  write(root, width - right, bottom + 28, 'Block', 'end');
}

/** The block at a place of the picture, in pixels from its left; null beside them. */
export function blockAt(blocks: readonly BlockTimes[], width: number, at: number): number | null {
  const index = Math.floor(((at - left) / Math.max(16, width - left - right)) * blocks.length);
  return index >= 0 && index < blocks.length ? index : null;
}

/** Operators by the time they take in the whole model, and the colours they are drawn in. */
export function operatorColors(blocks: readonly BlockTimes[]): ReadonlyMap<string, string> {
  const totals = new Map<string, number>();
  for (const { operator, ms } of blocks.flatMap(({ parts }) => parts))
    totals.set(operator, (totals.get(operator) ?? 0) + ms);
  const order = [...totals].toSorted(([, a], [, b]) => b - a).map(([operator]) => operator);
  const colors = new Map(
    order.slice(0, named).map((operator, slot) => [operator, `var(--lathe-series${slot + 1})`]),
  );
  return order.length > named ? colors.set(rest, 'var(--lathe-bar)') : colors;
}

/** One part for each colour. */
function grouped(
  parts: readonly OperatorPart[],
  colors: ReadonlyMap<string, string>,
): OperatorPart[] {
  const sums = new Map<string, number>();
  for (const { operator, ms } of parts) {
    const name = colors.has(operator) ? operator : rest;
    sums.set(name, (sums.get(name) ?? 0) + ms);
  }
  return [...sums].map(([operator, ms]) => ({ operator, ms }));
}

const xOf = (blocks: readonly BlockTimes[], width: number) =>
  scaleBand(
    blocks.map(({ name }) => name),
    [left, Math.max(left + 16, width - right)],
  ).padding(0.2);
