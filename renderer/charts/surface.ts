import { select, type Selection } from 'd3';

/** A place on a surface in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A raster of colours: red, green, blue and opacity of each cell, row by row. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

export interface TextStyle {
  readonly color: string;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly mono?: boolean;
  readonly bold?: boolean;
  /** Degrees clockwise around the point. */
  readonly turn?: number;
}

/**
 * What a chart with too many marks for an SVG draws on: a canvas of the page, or all the same an SVG
 * to save and to test. Colours may be variables of the theme: `var(--lathe-dim)`.
 */
export interface Surface {
  rect(box: Box, fill: string): void;
  outline(box: Box, color: string, width: number): void;
  line(from: readonly [number, number], to: readonly [number, number], stroke: Stroke): void;
  /** A line of text, its middle at `y`. */
  text(x: number, y: number, content: string, style: TextStyle): void;
  /** Cells with sharp edges; `part` says which of them, in cells. */
  cells(box: Box, cells: Cells, part?: Box): void;
  /** A path in the words of SVG, moved to `at`. */
  path(d: string, style: PathStyle, at?: readonly [number, number]): void;
  /** Draws only within a box. */
  within(box: Box, draw: () => void): void;
}

export interface PathStyle {
  readonly fill?: string;
  readonly stroke?: string;
  readonly width?: number;
  /** Lengths of dash and gap. */
  readonly dash?: readonly number[];
  readonly opacity?: number;
}

export interface Stroke {
  readonly color: string;
  readonly width: number;
  readonly opacity?: number;
}

const textSize = 11;

/** Draws on a canvas whose context is scaled to pixels of the page. */
export function canvasSurface(
  context: CanvasRenderingContext2D,
  resolve: (color: string) => string,
): Surface {
  const sans = resolve('var(--mantine-font-family)');
  const mono = resolve('var(--lathe-mono)');
  return {
    rect({ x, y, width, height }, fill) {
      context.fillStyle = resolve(fill);
      context.fillRect(x, y, width, height);
    },
    outline({ x, y, width, height }, color, lineWidth) {
      context.strokeStyle = resolve(color);
      context.lineWidth = lineWidth;
      context.strokeRect(x, y, width, height);
    },
    line([x1, y1], [x2, y2], { color, width, opacity = 1 }) {
      context.globalAlpha = opacity;
      context.strokeStyle = resolve(color);
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      context.globalAlpha = 1;
    },
    text(x, y, content, style) {
      const { color, size = textSize, anchor = 'start', bold = false, turn = 0 } = style;
      context.font = `${bold ? 600 : 400} ${size}px ${style.mono ? mono : sans}`;
      context.fillStyle = resolve(color);
      context.textAlign = anchor === 'middle' ? 'center' : anchor;
      context.textBaseline = 'middle';
      if (turn === 0) return context.fillText(content, x, y);
      context.save();
      context.translate(x, y);
      context.rotate((turn * Math.PI) / 180);
      context.fillText(content, 0, 0);
      context.restore();
    },
    cells(box, cells, part = all(cells)) {
      const bitmap = bitmapOf(cells);
      if (!bitmap) return;
      context.imageSmoothingEnabled = false;
      const { x, y, width, height } = part;
      context.drawImage(bitmap, x, y, width, height, box.x, box.y, box.width, box.height);
    },
    path(d, { fill, stroke, width = 1, dash = [], opacity = 1 }, [x, y] = [0, 0]) {
      const path = pathOf(d);
      context.save();
      context.translate(x, y);
      context.globalAlpha = opacity;
      if (fill !== undefined) {
        context.fillStyle = resolve(fill);
        context.fill(path);
      }
      if (stroke !== undefined) {
        context.strokeStyle = resolve(stroke);
        context.lineWidth = width;
        context.lineJoin = 'round';
        context.setLineDash([...dash]);
        context.stroke(path);
      }
      context.restore();
    },
    within({ x, y, width, height }, draw) {
      context.save();
      context.beginPath();
      context.rect(x, y, width, height);
      context.clip();
      draw();
      context.restore();
    },
  };
}

const all = ({ columns, rows }: Cells): Box => ({ x: 0, y: 0, width: columns, height: rows });

/** Marks are few and drawn many times; longer paths change with every picture. */
const marks = new Map<string, Path2D>();
const longestMark = 400;

function pathOf(d: string): Path2D {
  if (d.length > longestMark) return new Path2D(d);
  const known = marks.get(d);
  if (known) return known;
  const path = new Path2D(d);
  if (marks.size > 1000) marks.clear();
  marks.set(d, path);
  return path;
}

const bitmaps = new WeakMap<Cells, OffscreenCanvas>();

/** The cells as a picture: made once, so that moving and zooming draw nothing anew. */
function bitmapOf(cells: Cells): OffscreenCanvas | null {
  const { columns, rows, rgba } = cells;
  if (columns === 0 || rows === 0) return null;
  const known = bitmaps.get(cells);
  if (known) return known;
  const bitmap = new OffscreenCanvas(columns, rows);
  bitmap.getContext('2d')?.putImageData(new ImageData(rgba, columns, rows), 0, 0);
  bitmaps.set(cells, bitmap);
  return bitmap;
}

/** Draws into an SVG, which is emptied first. Neighbours of one colour become one rectangle. */
export function svgSurface(svg: SVGSVGElement, width: number, height: number): Surface {
  const root = select(svg)
    .attr('viewBox', `0 0 ${round(width)} ${round(height)}`)
    .attr('width', round(width))
    .attr('height', round(height));
  root.selectChildren().remove();
  let parent: Selection<SVGElement, unknown, null, undefined> = select<SVGElement, unknown>(svg);
  let clips = 0;
  const rect = ({ x, y, width: wide, height: high }: Box) =>
    parent
      .append('rect')
      .attr('x', round(x))
      .attr('y', round(y))
      .attr('width', round(wide))
      .attr('height', round(high));
  return {
    rect: (box, fill) => void rect(box).attr('fill', fill),
    outline: (box, color, lineWidth) =>
      void rect(box).attr('fill', 'none').attr('stroke', color).attr('stroke-width', lineWidth),
    line([x1, y1], [x2, y2], { color, width: lineWidth, opacity = 1 }) {
      parent
        .append('line')
        .attr('x1', round(x1))
        .attr('y1', round(y1))
        .attr('x2', round(x2))
        .attr('y2', round(y2))
        .attr('stroke', color)
        .attr('stroke-width', lineWidth)
        .attr('stroke-opacity', opacity === 1 ? null : round(opacity));
    },
    text(x, y, content, style) {
      const { color, size = textSize, anchor = 'start', bold, mono, turn = 0 } = style;
      parent
        .append('text')
        .attr('x', round(x))
        .attr('y', round(y))
        .attr('dy', '0.35em')
        .attr('font-size', size)
        .attr('fill', color)
        .attr('text-anchor', anchor === 'start' ? null : anchor)
        .attr('font-family', mono ? 'var(--lathe-mono)' : null)
        .attr('font-weight', bold ? 600 : null)
        .attr('transform', turn === 0 ? null : `rotate(${turn} ${round(x)} ${round(y)})`)
        .text(content);
    },
    cells(box, cells, part = all(cells)) {
      const wide = box.width / part.width;
      const high = box.height / part.height;
      for (const { row, column, count, color } of runs(cells, part)) {
        rect({
          x: box.x + (column - part.x) * wide,
          y: box.y + (row - part.y) * high,
          width: count * wide,
          height: high,
        })
          .attr('fill', color)
          .attr('shape-rendering', 'crispEdges');
      }
    },
    path(d, { fill = 'none', stroke, width: wide = 1, dash, opacity = 1 }, at) {
      parent
        .append('path')
        .attr('d', d)
        .attr('transform', at ? `translate(${round(at[0])} ${round(at[1])})` : null)
        .attr('fill', fill)
        .attr('stroke', stroke ?? null)
        .attr('stroke-width', stroke === undefined ? null : wide)
        .attr('stroke-dasharray', dash ? dash.join(' ') : null)
        .attr('opacity', opacity === 1 ? null : round(opacity));
    },
    within(box, draw) {
      clips += 1;
      const outer = parent;
      const id = `within-${clips}`;
      parent = outer.append<SVGElement>('clipPath').attr('id', id);
      rect(box);
      parent = outer.append<SVGElement>('g').attr('clip-path', `url(#${id})`);
      draw();
      parent = outer;
    },
  };
}

interface Run {
  readonly row: number;
  readonly column: number;
  readonly count: number;
  readonly color: string;
}

/** Stretches of one colour within the part, those that cannot be seen left out. */
function* runs({ columns, rows, rgba }: Cells, part: Box): Generator<Run> {
  const from = Math.max(0, Math.floor(part.x));
  const to = Math.min(columns, Math.ceil(part.x + part.width));
  const colorOf = (row: number, column: number): string => {
    const [red = 0, green = 0, blue = 0, opacity = 0] = rgba.subarray((row * columns + column) * 4);
    const hex = [red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('');
    return opacity === 0 ? 'none' : `#${hex}`;
  };
  for (
    let row = Math.max(0, Math.floor(part.y));
    row < Math.min(rows, Math.ceil(part.y + part.height));
    row += 1
  ) {
    let start = from;
    for (let column = from; column < to; column += 1) {
      const color = colorOf(row, column);
      if (column + 1 < to && colorOf(row, column + 1) === color) continue;
      if (color !== 'none') yield { row, column: start, count: column + 1 - start, color };
      start = column + 1;
    }
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
