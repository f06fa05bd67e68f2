import { scaleLinear } from 'd3';
import { round, tickText } from './frame.ts';
import type { Surface } from './surface.ts';

/** How far a variant is from its base at every token of a text. */
export interface DivergenceLane {
  readonly label: string;
  readonly color: string;
  /** KL in nats; the first value is of the second token. */
  readonly kl: ArrayLike<number>;
}

export interface DivergencePicture {
  /** Texts of all tokens, spaces made visible. */
  readonly tokens: readonly string[];
  readonly lanes: readonly DivergenceLane[];
}

export interface DivergenceLayout {
  readonly picture: DivergencePicture;
  readonly width: number;
  readonly height: number;
  /** Pixels per token. */
  readonly step: number;
}

const left = 64;
const right = 16;
const lane = { height: 72, caption: 16 };
/** Tokens are written below where each has so much room. */
const readable = 13;
const tokensHeight = 72;
/** A token is never narrower; longer texts scroll, their tokens written while they are not too many. */
const narrowest = 3;
const written = 1000;

/** Room for every token: as wide as the surroundings, or wider where the text is long. */
export function layOutDivergence(picture: DivergencePicture, room: number): DivergenceLayout {
  const count = Math.max(1, picture.tokens.length);
  const step = Math.min(
    28,
    Math.max(count > written ? narrowest : readable, (room - left - right) / count),
  );
  return {
    picture,
    step,
    width: Math.max(room, Math.ceil(left + right + step * count)),
    height: 8 + picture.lanes.length * lane.height + (step >= readable ? tokensHeight : 24),
  };
}

/** Draws one lane of bars per variant, all to one scale, and the tokens below where they fit. */
export function drawDivergence(surface: Surface, layout: DivergenceLayout): void {
  const { picture, step, width } = layout;
  const top = picture.lanes.reduce((most, { kl }) => Math.max(most, largest(kl)), 0) || 1;
  const dim = 'var(--lathe-dim)';
  for (const [index, { label, color, kl }] of picture.lanes.entries()) {
    const start = 8 + index * lane.height + lane.caption;
    const end = 8 + (index + 1) * lane.height - 8;
    const y = scaleLinear([0, top], [end, start]).nice(2);
    const most = y.domain()[1] ?? top;
    surface.line([left, end], [width - right, end], {
      color: 'var(--lathe-line-strong)',
      width: 1,
    });
    surface.line([left, start], [width - right, start], { color: 'var(--lathe-line)', width: 1 });
    surface.text(left - 8, end, '0', { color: dim, anchor: 'end' });
    surface.text(left - 8, start, tickText(most), { color: dim, anchor: 'end' });
    const unit = index === 0 ? `${label}: KL to the base, nats per token` : label;
    surface.text(left, start - 9, unit, { color: 'var(--lathe-text)' });
    const thick = Math.max(1, step - (step > 4 ? 2 : 0));
    const bars = Array.from(kl, (value, at) => {
      const x = round(left + (at + 1) * step + (step - thick) / 2);
      return `M${x},${round(end)}V${round(y(value))}h${round(thick)}V${round(end)}Z`;
    });
    if (bars.length > 0) surface.path(bars.join(''), { fill: color });
  }
  const base = 8 + picture.lanes.length * lane.height;
  if (step < readable) {
    surface.text(left, base + 8, `${picture.tokens.length} tokens →`, { color: dim });
    return;
  }
  for (const [at, token] of picture.tokens.entries()) {
    surface.text(left + (at + 0.5) * step, base + 2, shorten(token), {
      color: 'var(--lathe-text)',
      anchor: 'end',
      turn: -60,
      mono: true,
      size: 10,
    });
  }
}

/** Draws a line through the token that is looked at. */
export function drawDivergenceCursor(
  surface: Surface,
  { picture, step }: DivergenceLayout,
  position: number,
): void {
  const end = 8 + picture.lanes.length * lane.height - 8;
  const x = left + position * step;
  surface.path(`M${round(x)},8h${round(step)}V${end}h${round(-step)}Z`, {
    fill: 'var(--lathe-text)',
    opacity: 0.12,
  });
}

/** Index of the token at a place in pixels; null beside the text. */
export function tokenAt({ picture, step }: DivergenceLayout, x: number): number | null {
  const position = Math.floor((x - left) / step);
  return position >= 0 && position < picture.tokens.length ? position : null;
}

/** Index of the lane at a height in pixels; null below them. */
export function laneAt({ picture }: DivergenceLayout, y: number): number | null {
  const index = Math.floor((y - 8) / lane.height);
  return index >= 0 && index < picture.lanes.length ? index : null;
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, value), 0);

const longest = 10;

const shorten = (token: string): string =>
  token.length > longest ? `${token.slice(0, longest - 1)}…` : token;
