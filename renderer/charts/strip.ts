import { max, scaleLinear, type ScaleLinear } from 'd3';
import { blank, round, rule, tickText, write, type Root } from './frame.ts';

/** Two models along the tokens of a text. */
export interface Strip {
  /** KL divergence where each token was to come, in nats. */
  readonly kl: ArrayLike<number>;
  /** How much more probable the second found each token, in nats; null for the first token. */
  readonly gain: readonly (number | null)[];
  /** How many tokens the prompt has. */
  readonly promptTokens: number;
  /** Token at which they part. */
  readonly divergence: number | null;
}

const left = 56;
const right = 8;
const above = { top: 24, height: 64 };
const below = { top: above.top + above.height + 32, height: 64 };
const bottom = below.top + below.height;
const height = bottom + 40;

/**
 * Draws KL as bars and, below, the difference of the log-probabilities to both sides of zero. Lines
 * across both mark the end of the prompt and where the two part.
 */
export function drawStrip(svg: SVGSVGElement, strip: Strip, width: number): void {
  const { kl, gain, promptTokens, divergence } = strip;
  const count = Math.max(1, kl.length);
  const root = blank(svg, width, height);
  const x = xOf(count, width);
  const step = x(1) - x(0);

  const y = scaleLinear([0, max(Array.from(kl)) || 1], [above.top + above.height, above.top]).nice(
    3,
  );
  const size = max(gain, (value) => Math.abs(value ?? 0)) || 1;
  const sides = scaleLinear([-size, size], [bottom, below.top]).nice(3);
  write(root, left, 8, 'KL(base ‖ variant), nats');
  write(root, left, below.top - 12, 'Log-probability of the token, variant − base, nats');
  drawTicks(root, y, y.ticks(3), width);
  drawTicks(root, sides, [sides.domain()[0] ?? -1, 0, sides.domain()[1] ?? 1], width);

  const thick = Math.max(1, step > 4 ? step - 2 : step);
  const bars = (
    color: string,
    spans: readonly (readonly [at: number, to: number])[],
    zero: number,
  ) =>
    root
      .append('path')
      .attr(
        'd',
        spans.map(([at, to]) => `M${round(x(at + 0.5))},${round(zero)}V${round(to)}`).join(''),
      )
      .attr('stroke', color)
      .attr('stroke-width', round(thick));
  bars(
    'var(--lathe-accent)',
    Array.from(kl, (value, at) => [at, y(value)] as const),
    y(0),
  );
  const known = gain.flatMap((value, at) => (value === null ? [] : [[at, value] as const]));
  const side = (sign: number) =>
    known.filter(([, value]) => value * sign > 0).map(([at, value]) => [at, sides(value)] as const);
  bars('var(--lathe-less)', side(-1), sides(0));
  bars('var(--lathe-more)', side(1), sides(0));

  const mark = (at: number, color: string, dash?: string) =>
    rule(root, [at, above.top - 4], [at, bottom])
      .attr('stroke', color)
      .attr('stroke-dasharray', dash ?? null);
  if (promptTokens < count) {
    mark(x(promptTokens), 'var(--lathe-line-strong)', '2 2');
    if (x(promptTokens) < width - right - 64)
      write(root, x(promptTokens) + 4, bottom + 12, 'written →');
    if (x(promptTokens) > left + 64) write(root, x(promptTokens) - 4, bottom + 12, 'prompt', 'end');
  }
  if (divergence !== null) {
    mark(x(divergence + 0.5), 'var(--lathe-bad)')
      .attr('stroke-width', 1.5)
      .attr('y2', bottom + 32);
    const isLate = divergence > count * 0.8;
    const at = x(divergence + 0.5) + (isLate ? -4 : 4);
    write(root, at, bottom + 28, 'first divergence', isLate ? 'end' : 'start');
  }
}

const xOf = (count: number, width: number) =>
  scaleLinear([0, count], [left, Math.max(left + 16, width - right)]);

/** Draws what changes with the pointer, to lie over the strip: a line at the token looked at. */
export function drawStripCursor(
  svg: SVGSVGElement,
  { count, cursor }: { count: number; cursor: number },
  width: number,
): void {
  const at = xOf(Math.max(1, count), width)(cursor + 0.5);
  rule(blank(svg, width, height), [at, above.top - 4], [at, bottom]).attr(
    'stroke',
    'var(--lathe-text)',
  );
}

function drawTicks(
  root: Root,
  y: ScaleLinear<number, number>,
  ticks: readonly number[],
  width: number,
): void {
  for (const tick of ticks) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
}

/** The token at a place of the picture, in pixels from its left; null beside it. */
export function positionAt(count: number, width: number, at: number): number | null {
  const position = Math.floor(((at - left) / Math.max(16, width - left - right)) * count);
  return position >= 0 && position < count ? position : null;
}
