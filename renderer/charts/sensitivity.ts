import { extent, interpolateViridis, scaleLog } from 'd3';
import { blank, round, rule, write } from './frame.ts';
import { drawBlocks, layerEdges, layerScale } from './layerAxis.ts';

/** What each number of bits would cost one layer. */
export interface LayerSensitivity {
  /** `blocks.3.mlp.down` */
  readonly name: string;
  /** In the unit of `SensitivityPicture.caption`; 0 where nothing is lost. */
  readonly choices: readonly { readonly bits: number; readonly error: number }[];
  /** The bits it was given. */
  readonly chosen: number;
}

export interface SensitivityPicture {
  /** Names of all layers in the order they run. */
  readonly slots: readonly string[];
  readonly layers: readonly LayerSensitivity[];
  /** What the errors measure: `Divergence of the logits`. */
  readonly caption: string;
}

const { left, right } = layerEdges;
const plot = { top: 40, height: 144 };
const axis = plot.top + plot.height + 16;
const height = axis + 8;
/** The legend's entries stand so far apart. */
const entry = 64;

/**
 * Draws what every number of bits would cost each layer, on a logarithmic axis, and rings the one
 * that was chosen. Choices that cost nothing stand on the bottom line.
 */
export function drawSensitivity(
  svg: SVGSVGElement,
  { slots, layers, caption }: SensitivityPicture,
  width: number,
): void {
  const x = layerScale(slots, width);
  const points = layers.flatMap(({ name, choices, chosen }) =>
    choices.map(({ bits, error }) => ({ name, bits, error, isChosen: bits === chosen })),
  );
  const [least = 1e-3, most = 1] = extent(
    points.filter(({ error }) => error > 0).map(({ error }) => error),
  );
  const y = scaleLog([least / 2, most * 2], [plot.height, 0]);
  const all = [...new Set(points.map(({ bits }) => bits))].toSorted((a, b) => a - b);
  // From dark to light within the part of the scale that both themes show well.
  const color = (bits: number): string =>
    interpolateViridis(0.3 + (0.45 * all.indexOf(bits)) / Math.max(1, all.length - 1));
  const placeOf = ({ error }: { error: number }): number =>
    plot.top + (error > 0 ? round(y(error)) : plot.height);

  const root = blank(svg, width, height);
  drawBlocks(svg, slots, { width, top: plot.top, bottom: plot.top + plot.height, axis });
  write(root, left, 8, caption);
  for (const [at, bits] of all.entries()) {
    const begin = left + 4 + at * entry;
    root.append('circle').attr('cx', begin).attr('cy', 24).attr('r', 4).attr('fill', color(bits));
    write(root, begin + 8, 24, `${bits} bits`);
  }
  // Powers of ten, at most about five of them.
  const powers = y.ticks().filter((tick) => Number.isInteger(round(Math.log10(tick))));
  const every = Math.ceil(powers.length / 5);
  for (const tick of powers.filter((_, at) => at % every === 0)) {
    const at = plot.top + round(y(tick));
    rule(root, [left, at], [width - right, at]);
    write(root, left - 8, at, tick.toExponential(0), 'end');
  }
  root
    .selectAll('.choice')
    .data(points.filter(({ name }) => x(name) !== undefined))
    .join('circle')
    .attr('cx', ({ name }) => round((x(name) ?? 0) + x.bandwidth() / 2))
    .attr('cy', placeOf)
    .attr('r', ({ isChosen }) => (isChosen ? 4 : 3))
    .attr('fill', ({ bits }) => color(bits))
    .attr('stroke', ({ isChosen }) => (isChosen ? 'var(--lathe-text)' : 'none'))
    .attr('stroke-width', 1.5);
}
