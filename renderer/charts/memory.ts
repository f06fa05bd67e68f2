import { scaleLinear, select } from 'd3';

/** A part of the memory that a model takes, in bytes. */
export interface MemoryPart {
  readonly label: string;
  readonly bytes: number;
  readonly color: string;
}

const height = 16;

/**
 * Draws the parts end to end over the whole width. Where they need more than `available`, a line
 * marks what there is.
 */
export function drawMemory(
  svg: SVGSVGElement,
  parts: readonly MemoryPart[],
  available: number,
  width: number,
): void {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const x = scaleLinear([0, Math.max(1, total)], [0, width]);
  let end = 0;
  const placed = parts.map((part) => {
    const start = end;
    end += part.bytes;
    return { ...part, start };
  });

  const root = select(svg)
    .attr('viewBox', `0 0 ${width} ${height}`)
    .attr('width', width)
    .attr('height', height);
  root.selectChildren().remove();
  root
    .selectAll('rect')
    .data(placed)
    .join('rect')
    .attr('x', ({ start }) => round(x(start)))
    .attr('y', 4)
    // A hairline between neighbours keeps them apart without leaning on colour alone.
    .attr('width', ({ bytes }) => round(Math.max(0, x(bytes) - 1)))
    .attr('height', 8)
    .attr('fill', ({ color }) => color);
  if (available < total) {
    root
      .append('line')
      .attr('x1', round(x(available)))
      .attr('x2', round(x(available)))
      .attr('y2', height)
      .attr('stroke', 'var(--lathe-bad)')
      .attr('stroke-width', 2);
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
