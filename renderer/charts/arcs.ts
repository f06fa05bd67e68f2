import { shortened } from './heatmap.ts';
import type { Box, Surface } from './surface.ts';

/** Attention from token to token as lines. */
export interface Arcs {
  readonly tokens: number;
  readonly labels: readonly string[];
  /** Row: the token that looks; column: the token looked at. */
  readonly data: Float32Array;
  /** The least weight that is drawn. */
  readonly threshold: number;
  /** The token whose lines alone are drawn, at either side. */
  readonly pointed: { readonly side: 'from' | 'to'; readonly token: number } | null;
}

/** So many lines can be told apart, and drawn in a frame. */
const mostLines = 4000;
const rowHeight = 18;
const top = 24;
const labelWidth = 104;

export const arcsHeight = (tokens: number): number => top + tokens * rowHeight + 8;

/** The token at a point, and at which side; null in between. */
export function tokenAt(
  tokens: number,
  width: number,
  point: readonly [number, number],
): Arcs['pointed'] {
  const token = Math.floor((point[1] - top) / rowHeight);
  if (token < 0 || token >= tokens) return null;
  if (point[0] < labelWidth) return { side: 'from', token };
  return point[0] > width - labelWidth ? { side: 'to', token } : null;
}

/** The strongest lines above the threshold, the strongest last; and how many there are in all. */
export function strongest({ tokens, data, threshold, pointed }: Arcs): {
  lines: readonly { from: number; to: number; weight: number }[];
  all: number;
} {
  const lines: { from: number; to: number; weight: number }[] = [];
  for (let from = 0; from < tokens; from += 1) {
    if (pointed?.side === 'from' && pointed.token !== from) continue;
    for (let to = 0; to < tokens; to += 1) {
      if (pointed?.side === 'to' && pointed.token !== to) continue;
      const weight = data[from * tokens + to] ?? 0;
      if (weight >= threshold && weight > 0) lines.push({ from, to, weight });
    }
  }
  lines.sort((a, b) => a.weight - b.weight);
  return { lines: lines.slice(-mostLines), all: lines.length };
}

const y = (token: number): number => top + (token + 0.5) * rowHeight;

/** Draws the text twice, and a line from every token to those it looks at. */
export function drawArcs(surface: Surface, arcs: Arcs, width: number, shown: Box): void {
  const { labels, pointed } = arcs;
  const right = Math.max(labelWidth + 64, width - labelWidth);
  surface.text(labelWidth - 8, 10, 'looks', { color: 'var(--lathe-dim)', anchor: 'end' });
  surface.text(right + 8, 10, 'at', { color: 'var(--lathe-dim)' });
  const isShown = (token: number): boolean =>
    y(token) > shown.y - rowHeight && y(token) < shown.y + shown.height + rowHeight;
  for (const { from, to, weight } of strongest(arcs).lines) {
    const [above, below] = from < to ? [from, to] : [to, from];
    if (y(below) < shown.y || y(above) > shown.y + shown.height) continue;
    surface.line([labelWidth, y(from)], [right, y(to)], {
      color: 'var(--lathe-accent)',
      width: 1.5,
      opacity: Math.min(1, 0.08 + weight * 0.92),
    });
  }
  for (const [token, label] of labels.entries()) {
    if (!isShown(token)) continue;
    const text = shortened(label);
    const style = (side: 'from' | 'to') => ({
      color: 'var(--lathe-text)',
      mono: true,
      bold: pointed?.side === side && pointed.token === token,
    });
    surface.text(labelWidth - 8, y(token), text, { ...style('from'), anchor: 'end' });
    surface.text(right + 8, y(token), text, style('to'));
  }
}
