import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
  type ScaleContinuousNumeric,
} from 'd3';
import { tickText } from './frame.ts';
import {
  crowd,
  inside,
  shorten,
  type Place,
  type ScatterAxis,
  type ScatterDot,
  type ScatterLayout,
} from './scatterLayout.ts';
import type { Surface } from './surface.ts';

/** Where the legend ends, so that buttons have room beside it. */
const toolsWidth = 104;
const shapes = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolStar,
  symbolWye,
];
const marks = shapes.map((shape) => symbol(shape, 72)() ?? '');
/** Draws everything but what follows the pointer. */
export function drawScatter(surface: Surface, layout: ScatterLayout): void {
  const { size } = layout;
  const { left, top, right, bottom } = inside(size);
  const box = { x: left, y: top, width: right - left, height: bottom - top };
  surface.within(box, () => drawReached(surface, layout));
  drawAxes(surface, layout);
  surface.within(box, () => {
    drawGoals(surface, layout);
    drawFront(surface, layout);
    drawIntervals(surface, layout);
    drawDots(surface, layout);
    for (const { text, x, y } of layout.labels)
      surface.text(x, y, text, { color: 'var(--lathe-text)' });
  });
  drawLegend(surface, layout);
}

function drawAxes(surface: Surface, { picture, size, x, y }: ScatterLayout): void {
  const { left, top, right, bottom } = inside(size);
  const dim = 'var(--lathe-dim)';
  const rule = { color: 'var(--lathe-line)', width: 1 };
  for (const tick of ticksOf(picture.x, x, (right - left) / 88)) {
    const at = x(tick);
    surface.line([at, top], [at, bottom], rule);
    surface.text(at, bottom + 14, tickText(tick), { color: dim, anchor: 'middle' });
  }
  for (const tick of ticksOf(picture.y, y, (bottom - top) / 48)) {
    const at = y(tick);
    surface.line([left, at], [right, at], rule);
    surface.text(left - 8, at, tickText(tick), { color: dim, anchor: 'end' });
  }
  const text = 'var(--lathe-text)';
  surface.text((left + right) / 2, bottom + 36, withArrow(picture.x), {
    color: text,
    anchor: 'middle',
  });
  surface.text(12, (top + bottom) / 2, withArrow(picture.y), {
    color: text,
    anchor: 'middle',
    turn: -90,
  });
}

/** The arrow points to what is better, turned with the text as well. */
const withArrow = ({ title, better }: ScatterAxis): string =>
  better === 'lower' ? `← better · ${title}` : `${title} · better →`;

function ticksOf(
  { logarithmic }: ScatterAxis,
  scale: ScaleContinuousNumeric<number, number>,
  room: number,
): number[] {
  const ticks = scale.ticks(Math.max(2, Math.floor(room)));
  if (!logarithmic || ticks.length <= room) return ticks;
  const round = ticks.filter((tick) => /^[125]/.test(tick.toExponential()));
  const decades = round.filter((tick) => tick.toExponential().startsWith('1e'));
  return round.length <= room ? round : decades;
}

/** The ground on the good side of all goals. */
function drawReached(surface: Surface, { picture, size, x, y }: ScatterLayout): void {
  const { left, top, right, bottom } = inside(size);
  if (picture.x.goals.length + picture.y.goals.length === 0) return;
  let [x0, x1, y0, y1] = [left, right, top, bottom];
  for (const { at, relation } of picture.x.goals) {
    if (relation === 'at-most') x1 = Math.min(x1, x(at));
    else x0 = Math.max(x0, x(at));
  }
  for (const { at, relation } of picture.y.goals) {
    if (relation === 'at-most') y0 = Math.max(y0, y(at));
    else y1 = Math.min(y1, y(at));
  }
  if (x1 > x0 && y1 > y0)
    surface.path(`M${x0},${y0}H${x1}V${y1}H${x0}Z`, { fill: 'var(--lathe-accent)', opacity: 0.1 });
}

function drawGoals(surface: Surface, { picture, size, x, y }: ScatterLayout): void {
  const { left, top, right, bottom } = inside(size);
  const style = { stroke: 'var(--lathe-accent)', width: 1.5, dash: [4, 3] };
  for (const { at } of picture.x.goals) surface.path(`M${x(at)},${top}V${bottom}`, style);
  for (const { at } of picture.y.goals) surface.path(`M${left},${y(at)}H${right}`, style);
}

/** A staircase: what lies behind it is beaten by one of its corners. */
function drawFront(surface: Surface, { picture, places }: ScatterLayout): void {
  const corners = places
    .filter(({ dot }) => picture.front.has(dot.key))
    .map(({ at }) => at)
    .toSorted((a, b) => a[0] - b[0]);
  const [first, ...rest] = corners;
  if (!first || rest.length === 0) return;
  const steps = rest.map(([px, py]) =>
    picture.x.better === 'lower' ? `H${px}V${py}` : `V${py}H${px}`,
  );
  surface.path(`M${first[0]},${first[1]}${steps.join('')}`, {
    stroke: 'var(--lathe-line-strong)',
    width: 2,
  });
}

function drawIntervals(surface: Surface, { picture, places, x, y }: ScatterLayout): void {
  for (const { dot, at } of places) {
    const { key, xRange, yRange, color } = dot;
    if (places.length > crowd && !picture.selected.has(key) && !picture.front.has(key)) continue;
    const [x0, x1] = xRange ? [x(xRange[0]), x(xRange[1])] : [at[0], at[0]];
    const [y0, y1] = yRange ? [y(yRange[1]), y(yRange[0])] : [at[1], at[1]];
    if (![x0, x1, y0, y1].every(Number.isFinite)) continue;
    if (xRange && yRange) {
      const [rx, ry] = [(x1 - x0) / 2, (y1 - y0) / 2];
      const d = `M${x0},${y0 + ry}a${rx},${ry} 0 1 0 ${rx * 2},0a${rx},${ry} 0 1 0 ${-rx * 2},0Z`;
      surface.path(d, { fill: color, opacity: 0.14 });
      surface.path(d, { stroke: color, opacity: 0.5 });
    } else if (xRange || yRange) {
      surface.line(
        [xRange ? x0 : at[0], yRange ? y0 : at[1]],
        [xRange ? x1 : at[0], yRange ? y1 : at[1]],
        {
          color,
          width: 1,
          opacity: 0.6,
        },
      );
    }
  }
}

function drawDots(surface: Surface, { picture, places }: ScatterLayout): void {
  const { selected } = picture;
  const draw = (isSelected: boolean): void => {
    for (const { dot, at } of places) {
      if (selected.has(dot.key) !== isSelected) continue;
      surface.path(
        markOf(dot),
        {
          fill: dot.color,
          stroke: isSelected ? 'var(--lathe-text)' : 'var(--lathe-surface)',
          width: isSelected ? 2 : 1,
          opacity: selected.size === 0 || isSelected ? 1 : 0.4,
        },
        at,
      );
    }
  };
  draw(false);
  draw(true);
}

const markOf = ({ shape }: Pick<ScatterDot, 'shape'>): string => marks[shape % marks.length] ?? '';

function drawLegend(surface: Surface, { picture, size }: ScatterLayout): void {
  const { left, right } = inside(size);
  const dim = 'var(--lathe-dim)';
  let at = left;
  const entry = (text: string, draw: (x: number) => void): void => {
    const width = 24 + text.length * 6 + 16;
    if (at + width > right - toolsWidth) return;
    draw(at);
    surface.text(at + 24, 14, text, { color: dim });
    at += width;
  };
  if (picture.front.size > 1)
    entry('Pareto front', (x) =>
      surface.line([x, 14], [x + 16, 14], { color: 'var(--lathe-line-strong)', width: 2 }),
    );
  if (picture.dots.some(({ xRange, yRange }) => xRange ?? yRange))
    entry('95 % interval', (x) =>
      surface.path(`M${x},14a8,4 0 1 0 16,0a8,4 0 1 0 -16,0Z`, { stroke: dim }),
    );
  if (picture.x.goals.length + picture.y.goals.length > 0)
    entry('reaches the goals', (x) => {
      surface.path(`M${x},8h16v12h-16Z`, { fill: 'var(--lathe-accent)', opacity: 0.16 });
      surface.path(`M${x},8h16v12h-16Z`, { stroke: 'var(--lathe-accent)', dash: [4, 3] });
    });
  if (picture.families.length > 1)
    for (const [shape, family] of picture.families.entries())
      entry(shorten(family), (x) =>
        surface.path(markOf({ shape }), { fill: 'var(--lathe-dim)' }, [x + 8, 14]),
      );
}

/** Draws what follows the pointer: the dot under it with its values, and the lasso. */
export function drawPointed(
  surface: Surface,
  layout: ScatterLayout,
  { key, lines, lasso }: { key: string | null; lines: readonly string[]; lasso: readonly Place[] },
): void {
  if (lasso.length > 1) {
    const d = `M${lasso.map(([x, y]) => `${x},${y}`).join('L')}Z`;
    surface.path(d, { fill: 'var(--lathe-accent)', opacity: 0.12 });
    surface.path(d, { stroke: 'var(--lathe-accent)', dash: [4, 3] });
  }
  const pointed = layout.places.find(({ dot }) => dot.key === key);
  if (!pointed) return;
  const { left, top, right, bottom } = inside(layout.size);
  const [x, y] = pointed.at;
  const guide = { stroke: 'var(--lathe-line-strong)', dash: [2, 2] };
  surface.path(`M${left},${y}H${x}M${x},${bottom}V${y}`, guide);
  surface.path(markOf(pointed.dot), { stroke: 'var(--lathe-text)', width: 3 }, pointed.at);
  surface.path(markOf(pointed.dot), { fill: pointed.dot.color }, pointed.at);
  if (lines.length === 0) return;
  const width = Math.max(...lines.map((line) => line.length)) * 6.2 + 16;
  const height = lines.length * 16 + 8;
  const boxX = x + 16 + width > right ? Math.max(left, x - 16 - width) : x + 16;
  const boxY = Math.min(Math.max(top, y - height / 2), bottom - height);
  const box = { x: boxX, y: boxY, width, height };
  surface.rect(box, 'var(--lathe-raised)');
  surface.outline(box, 'var(--lathe-line-strong)', 1);
  for (const [index, line] of lines.entries())
    surface.text(boxX + 8, boxY + 12 + index * 16, line, {
      color: index === 0 ? 'var(--lathe-text)' : 'var(--lathe-dim)',
      bold: index === 0,
    });
}
