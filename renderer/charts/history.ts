import { extent, line, scaleLinear, scaleUtc } from 'd3';
import { blank, round, rule, tickText, write, type Root } from './frame.ts';

/** One measurement. */
export interface HistoryMark {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
  /** The middle 95 %; null where it is not known. */
  readonly range: readonly [low: number, high: number] | null;
  /** `changed`: version or machine is another than before; `moved`: and the value went with it. */
  readonly flag: 'none' | 'changed' | 'moved';
  /** What changed: `onnxruntime 1.29.0 → 1.30.0`. */
  readonly note: string;
}

/** One quantity over time. */
export interface HistoryPanel {
  /** With unit, and what it was measured on. */
  readonly title: string;
  readonly color: string;
  /** The oldest first. */
  readonly marks: readonly HistoryMark[];
}

const left = 64;
const right = 16;
const panel = { height: 136, plot: 64, top: 40 };
/** Wide enough for a character of most notes. */
const noteWidth = 6;

/**
 * Draws one panel per quantity above another, all over the same time. A dashed line marks where the
 * circumstances changed: with a filled head where the value left its interval there.
 */
export function drawHistory(
  svg: SVGSVGElement,
  panels: readonly HistoryPanel[],
  width: number,
): void {
  const root = blank(svg, width, Math.max(1, panels.length) * panel.height);
  const [first = 0, last = 1] = extent(panels.flatMap(({ marks }) => marks.map(({ at }) => at)));
  const room = first === last ? 3_600_000 : (last - first) * 0.03;
  const x = scaleUtc([first - room, last + room], [left, Math.max(left + 32, width - right)]);
  for (const [index, each] of panels.entries())
    drawPanel(root, each, { x, top: index * panel.height + panel.top, width });
}

interface PanelPlace {
  readonly x: (at: number) => number;
  readonly top: number;
  readonly width: number;
}

function drawPanel(root: Root, { title, color, marks }: HistoryPanel, place: PanelPlace): void {
  const { x, top, width } = place;
  const bottom = top + panel.plot;
  const [low = 0, high = 1] = extent(
    marks.flatMap(({ value, range }) => [value, ...(range ?? [])]),
  );
  const margin = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  const y = scaleLinear([low - margin, high + margin], [bottom, top]).nice(2);
  write(root, left, top - 32, title);
  for (const tick of y.ticks(2)) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  drawFlags(root, marks, { x, top, bottom, end: width });
  for (const { at, range } of marks) {
    if (range)
      rule(root, [x(at), y(range[0])], [x(at), y(range[1])])
        .attr('stroke', color)
        .attr('stroke-opacity', 0.5)
        .attr('stroke-width', 3);
  }
  const path = line<HistoryMark>()
    .x(({ at }) => round(x(at)))
    .y(({ value }) => round(y(value)));
  root
    .append('path')
    .attr('d', path(marks))
    .attr('fill', 'none')
    .attr('stroke', color)
    .attr('stroke-width', 1.5);
  for (const { at, value } of marks)
    root
      .append('circle')
      .attr('cx', round(x(at)))
      .attr('cy', round(y(value)))
      .attr('r', 3)
      .attr('fill', color);
  const ends = new Set([marks[0], marks.at(-1)].flatMap((mark) => (mark ? [mark.at] : [])));
  const isOneDay = ends.size > new Set([...ends].map(dateOf)).size;
  for (const at of ends) {
    const isLate = x(at) > width - right - 64;
    write(
      root,
      x(at),
      bottom + 14,
      isOneDay ? timeOf(at) : dateOf(at),
      isLate ? 'end' : x(at) < left + 32 ? 'start' : 'middle',
    );
  }
}

function drawFlags(
  root: Root,
  marks: readonly HistoryMark[],
  { x, top, bottom, end }: { x: (at: number) => number; top: number; bottom: number; end: number },
): void {
  const flagged = marks.filter(({ flag }) => flag !== 'none');
  let free = Number.NEGATIVE_INFINITY;
  for (const [index, { at, flag, note }] of flagged.entries()) {
    const color = flag === 'moved' ? 'var(--lathe-warn)' : 'var(--lathe-dim)';
    const place = x(at);
    rule(root, [place, top - 16], [place, bottom])
      .attr('stroke', color)
      .attr('stroke-dasharray', '3 3');
    root
      .append('path')
      .attr('d', `M${round(place)},${top - 18}h7l-2,3.5l2,3.5h-7Z`)
      .attr('fill', flag === 'moved' ? color : 'var(--lathe-surface)')
      .attr('stroke', color);
    // A note stands behind its flag, or before it where the next one is too near.
    const wide = note.length * noteWidth;
    const next = flagged[index + 1];
    if (place + 10 + wide < (next ? x(next.at) : end)) {
      write(root, place + 10, top - 12, note);
      free = place + 10 + wide;
    } else if (place - 6 - wide > free) {
      write(root, place - 6, top - 12, note, 'end');
      free = place + 8;
    }
  }
}

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

const timeOf = (at: number): string =>
  new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
