import { scaleBand, select } from 'd3';
import { round, write } from './frame.ts';

/** Where the layers begin and end: pixels left of the first and right of the last. */
export const layerEdges = { left: 48, right: 8 };

/** A block's number needs so many pixels. */
const numberWidth = 20;

/** The layer at a place of the picture, in pixels from its left; null beside them. */
export function layerAt(slots: readonly string[], width: number, at: number): string | null {
  return slots[Math.floor((at - layerEdges.left) / stepOf(slots, width))] ?? null;
}

/** Places of the layers, in the order they run. */
export const layerScale = (slots: readonly string[], width: number) =>
  scaleBand(slots, [
    layerEdges.left,
    Math.max(layerEdges.left + 16, width - layerEdges.right),
  ]).padding(0.3);

const stepOf = (slots: readonly string[], width: number): number =>
  (width - layerEdges.left - layerEdges.right) / Math.max(1, slots.length);

/**
 * Every other block on a darker ground from `top` to `bottom`, and below it, at `axis`, the numbers
 * of as many as there is room for.
 */
export function drawBlocks(
  svg: SVGSVGElement,
  slots: readonly string[],
  { width, top, bottom, axis }: { width: number; top: number; bottom: number; axis: number },
): void {
  const step = stepOf(slots, width);
  const groups = [...Map.groupBy(slots.entries(), ([, name]) => blockOf(name))];
  const first = groups.find(([block]) => isNumber(block));
  const wide = step * (first?.[1].length ?? 1);
  const every = [1, 2, 5, 10, 20, 50].find((count) => count * wide >= numberWidth) ?? 100;
  const root = select(svg);
  for (const [at, [block, members]] of groups.entries()) {
    const begin = layerEdges.left + step * (members[0]?.[0] ?? 0);
    if (at % 2 === 0) {
      root
        .append('rect')
        .attr('x', round(begin))
        .attr('y', top)
        .attr('width', round(step * members.length))
        .attr('height', bottom - top)
        .attr('fill', 'var(--lathe-ground)');
    }
    const wideHere = step * members.length;
    // What stands alone before and behind the blocks is named only where the name has room.
    if (isNumber(block) ? Number(block) % every !== 0 : wideHere < numberWidth) continue;
    const [anchor, x] = isNumber(block)
      ? ['middle', begin + wideHere / 2]
      : block === 'embed'
        ? ['start', begin]
        : ['end', width - layerEdges.right];
    write(root, x, axis, block, anchor);
  }
}

/** `3` of `blocks.3.mlp.down`; `embed` and `head` of what comes before and behind the blocks. */
const blockOf = (name: string): string =>
  /^blocks\.(\d+)\./.exec(name)?.[1] ?? (name === 'embed' ? 'embed' : 'head');

const isNumber = (block: string): boolean => /^\d+$/.test(block);
