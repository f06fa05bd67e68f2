import { polygonContains, scaleLinear, scaleLog, type ScaleContinuousNumeric } from 'd3';
import { placeLabels, type PlacedLabel } from './labels.ts';

type Range = readonly [low: number, high: number];
export type Place = readonly [x: number, y: number];

/** One model. */
export interface ScatterDot {
  readonly key: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** The middle 95 % of each value; null where it is not known. */
  readonly xRange: Range | null;
  readonly yRange: Range | null;
  readonly color: string;
  /** Family of the model: each has a shape of its own, seven at most. */
  readonly shape: number;
}

export interface ScatterAxis {
  /** With its unit. */
  readonly title: string;
  readonly better: 'lower' | 'higher';
  readonly logarithmic: boolean;
  /** Lines to reach, and which side of them is good. */
  readonly goals: readonly { readonly at: number; readonly relation: 'at-most' | 'at-least' }[];
}

/** The part of both axes that is shown. */
export interface ScatterView {
  readonly x: Range;
  readonly y: Range;
}

export interface ScatterPicture {
  readonly dots: readonly ScatterDot[];
  /** Names of the families by their shapes. */
  readonly families: readonly string[];
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  /** Keys of the dots that none beats. */
  readonly front: ReadonlySet<string>;
  readonly selected: ReadonlySet<string>;
  /** null shows everything. */
  readonly view: ScatterView | null;
}

export interface ScatterSize {
  readonly width: number;
  readonly height: number;
}

/** A picture with everything in its place. */
export interface ScatterLayout {
  readonly picture: ScatterPicture;
  readonly size: ScatterSize;
  readonly x: ScaleContinuousNumeric<number, number>;
  readonly y: ScaleContinuousNumeric<number, number>;
  readonly places: readonly { readonly dot: ScatterDot; readonly at: Place }[];
  readonly labels: readonly PlacedLabel[];
}

const edges = { left: 64, right: 16, top: 32, bottom: 48 };
/** With more dots than these, only those that matter have intervals and names. */
export const crowd = 60;
/** How near the pointer has to be, in pixels. */
const reach = 12;

/** The room within the axes. */
export const inside = ({ width, height }: ScatterSize) => ({
  left: edges.left,
  top: edges.top,
  right: Math.max(edges.left + 32, width - edges.right),
  bottom: Math.max(edges.top + 32, height - edges.bottom),
});

/** Finds the place of everything. */
export function layOutScatter(picture: ScatterPicture, size: ScatterSize): ScatterLayout {
  const { left, top, right, bottom } = inside(size);
  const { dots, view } = picture;
  const x = scaleOf(
    picture.x,
    view?.x ??
      extentOf(
        dots.map((dot) => dot.x),
        dots.map((dot) => dot.xRange),
        picture.x,
      ),
  ).range([left, right]);
  const y = scaleOf(
    picture.y,
    view?.y ??
      extentOf(
        dots.map((dot) => dot.y),
        dots.map((dot) => dot.yRange),
        picture.y,
      ),
  ).range([bottom, top]);
  const places = dots.map((dot) => ({ dot, at: [x(dot.x), y(dot.y)] as const }));
  const seen = places.filter(
    ({ at: [px, py] }) => px >= left && px <= right && py >= top && py <= bottom,
  );
  const weight = ({ dot: { key } }: { dot: ScatterDot }): number =>
    Number(picture.selected.has(key)) * 2 + Number(picture.front.has(key));
  const wishes = seen
    .filter((place) => seen.length <= crowd || weight(place) > 0)
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, crowd)
    .map(({ dot, at: [px, py] }) => ({ text: shorten(dot.label), x: px, y: py }));
  const labels = placeLabels(
    wishes,
    seen.map(({ at }) => at),
    { left, top, right, bottom },
  );
  return { picture, size, x, y, places, labels };
}

function scaleOf({ logarithmic }: ScatterAxis, domain: Range) {
  return (logarithmic ? scaleLog() : scaleLinear()).domain(domain);
}

/** All values with their intervals and some room around; goals where they lie near. */
function extentOf(
  values: readonly number[],
  ranges: readonly (Range | null)[],
  { logarithmic, goals }: ScatterAxis,
): Range {
  const all = [...values, ...ranges.flatMap((range) => range ?? [])].filter(
    (value) => Number.isFinite(value) && (!logarithmic || value > 0),
  );
  if (all.length === 0) return logarithmic ? [0.1, 10] : [0, 1];
  let low = Math.min(...all);
  let high = Math.max(...all);
  const span = high - low || Math.abs(high) || 1;
  for (const { at } of goals) {
    if (at < low - span || at > high + span || (logarithmic && at <= 0)) continue;
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  if (logarithmic) {
    const room = high === low ? 2 : (high / low) ** 0.06;
    return [low / room, high * room];
  }
  const room = (high - low || Math.abs(high) || 1) * (high === low ? 0.5 : 0.06);
  return [low - room, high + room];
}

/** The dot under the pointer; null where none is near. */
export function dotAt({ places }: ScatterLayout, [x, y]: Place): string | null {
  let nearest: string | null = null;
  let least = reach;
  for (const { dot, at } of places) {
    const distance = Math.hypot(at[0] - x, at[1] - y);
    if (distance >= least) continue;
    least = distance;
    nearest = dot.key;
  }
  return nearest;
}

/** The dots that a line drawn around them encloses. */
export const dotsWithin = ({ places }: ScatterLayout, lasso: readonly Place[]): string[] =>
  lasso.length < 3
    ? []
    : places
        .filter(({ at }) =>
          polygonContains(
            lasso.map(([x, y]): [number, number] => [x, y]),
            [at[0], at[1]],
          ),
        )
        .map(({ dot }) => dot.key);

/** What is shown after zooming in (a factor above 1) or out around a place. */
export function zoomedAt(layout: ScatterLayout, [px, py]: Place, factor: number): ScatterView {
  const { left, top, right, bottom } = inside(layout.size);
  const around = (at: number, from: number, to: number): Range => [
    at - (at - from) / factor,
    at + (to - at) / factor,
  ];
  const [x0, x1] = around(Math.min(Math.max(px, left), right), left, right);
  const [y0, y1] = around(Math.min(Math.max(py, top), bottom), top, bottom);
  return viewOf(layout, [x0, x1], [y0, y1]);
}

/** What is shown after moving the picture by so many pixels. */
export function movedBy(layout: ScatterLayout, dx: number, dy: number): ScatterView {
  const { left, top, right, bottom } = inside(layout.size);
  return viewOf(layout, [left - dx, right - dx], [top - dy, bottom - dy]);
}

const viewOf = ({ x, y }: ScatterLayout, [x0, x1]: Range, [y0, y1]: Range): ScatterView => ({
  x: [x.invert(x0), x.invert(x1)],
  y: [y.invert(y1), y.invert(y0)],
});

const longest = 28;

export const shorten = (label: string): string =>
  label.length > longest ? `${label.slice(0, longest - 1)}…` : label;
