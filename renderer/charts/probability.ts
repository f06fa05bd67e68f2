import { hcl, interpolateNumber, interpolateRgb, interpolateViridis, range, rgb, select } from 'd3';

/** How many shades the scale has; the last is for certainty. */
export const probabilityShades = 9;

/** The least probability that has a shade of its own; anything below it looks the same. */
const least = 1e-3;

/** Shade of a natural-log probability: equal ratios of probability are equal steps. */
export function probabilityShade(logprob: number): number {
  const decades = Math.log10(least);
  const position = 1 - logprob / Math.LN10 / decades;
  return Math.round(Math.min(1, Math.max(0, position)) * (probabilityShades - 1));
}

/** The ground the shades lie on, and how light the colours are before they are mixed into it. */
export interface Ground {
  readonly surface: string;
  /** HCL lightness of the colours, least probable and certain, before they are mixed in. */
  readonly lightness: readonly [least: number, certain: number];
  /** How much of the colour the least probable shade shows, 0 to 1. */
  readonly strength: number;
}

/**
 * Backgrounds for text, least probable first: the hues of viridis in an even lightness, the fainter
 * the more probable, so that the eye falls on what surprised the model.
 */
export const probabilityColors = ({ surface, lightness, strength }: Ground): string[] =>
  range(probabilityShades).map((shade) => {
    const position = shade / (probabilityShades - 1);
    const color = hcl(interpolateViridis(position));
    color.l = interpolateNumber(...lightness)(position);
    color.c = Math.min(color.c, 56);
    const weight = strength * (1 - 0.8 * position);
    return rgb(interpolateRgb(surface, color.formatRgb())(weight)).formatHex();
  });

const legend = { width: 168, height: 24, bar: 8 };

/** Draws the scale with its ticks: probability from 0.001 to 1, logarithmic. */
export function drawProbabilityLegend(svg: SVGSVGElement, color: (shade: number) => string): void {
  const step = legend.width / probabilityShades;
  const root = select(svg)
    .attr('viewBox', `0 0 ${legend.width} ${legend.height}`)
    .attr('width', legend.width)
    .attr('height', legend.height);
  root.selectChildren().remove();
  root
    .selectAll('rect')
    .data(range(probabilityShades))
    .join('rect')
    .attr('x', (shade) => round(shade * step))
    .attr('width', round(step))
    .attr('height', legend.bar)
    .attr('fill', color);
  root
    .selectAll('text')
    .data(['0.001', '0.01', '0.1', '1'])
    .join('text')
    .attr('x', (_, index) => (index * legend.width) / 3)
    .attr('y', legend.height - 4)
    .attr('font-size', 10)
    .attr('fill', 'var(--lathe-dim)')
    .attr('text-anchor', (_, index) => (index === 0 ? 'start' : index === 3 ? 'end' : 'middle'))
    .text((label) => label);
}

const round = (value: number): number => Math.round(value * 100) / 100;
