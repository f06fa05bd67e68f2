import { max, scaleLinear } from 'd3';
import { blank, round, rule, write } from './frame.ts';
import { drawBlocks, layerEdges, layerScale } from './layerAxis.ts';

/** What a pass did to one layer. */
export interface LayerBar {
  /** `blocks.3.mlp.down` */
  readonly name: string;
  /** Relative errors, 0.05 for 5 %; null where there is none to tell. */
  readonly errorBefore: number | null;
  readonly errorAfter: number | null;
  readonly bits: number;
}

export interface LayerPicture {
  /** Names of all layers in the order they run, those that are still to come included. */
  readonly slots: readonly string[];
  readonly bars: readonly LayerBar[];
  /** What the errors measure: `Relative error of the output`. */
  readonly caption: string;
}

const { left, right } = layerEdges;
const errors = { top: 24, height: 96 };
const bits = { top: errors.top + errors.height + 32, height: 32 };
const axis = bits.top + bits.height + 16;
const height = axis + 8;

/**
 * Draws error and bits of every layer, block by block: a bar is what the pass left, the line across
 * it what the simplest method would have. Layers without a report yet keep their place.
 */
export function drawLayers(
  svg: SVGSVGElement,
  { slots, bars, caption }: LayerPicture,
  width: number,
): void {
  const x = layerScale(slots, width);
  const top = max(bars, ({ errorBefore, errorAfter }) =>
    Math.max(errorBefore ?? 0, errorAfter ?? 0),
  );
  const y = scaleLinear([0, top || 0.1], [errors.height, 0]).nice(4);
  const most = max(bars, (bar) => bar.bits) ?? 4;
  const bitsY = scaleLinear([0, most], [bits.height, 0]);

  const root = blank(svg, width, height);
  drawBlocks(svg, slots, { width, top: errors.top, bottom: bits.top + bits.height, axis });
  write(root, left, errors.top - 16, caption);
  write(root, left, bits.top - 12, 'Bits per weight');
  for (const tick of y.ticks(4)) {
    const at = errors.top + round(y(tick));
    rule(root, [left, at], [width - right, at]);
    write(root, left - 8, at, percent(tick), 'end');
  }
  write(root, left - 8, bits.top + bits.height, '0', 'end');
  write(root, left - 8, bits.top, short(most), 'end');

  const known = bars.filter(({ name }) => x(name) !== undefined);
  const start = ({ name }: LayerBar): number => round(x(name) ?? 0);
  const thick = round(x.bandwidth());
  root
    .selectAll('.error')
    .data(known.filter(({ errorAfter }) => errorAfter !== null))
    .join('rect')
    .attr('x', start)
    .attr('y', ({ errorAfter }) => errors.top + round(y(errorAfter ?? 0)))
    .attr('width', thick)
    .attr('height', ({ errorAfter }) => round(errors.height - y(errorAfter ?? 0)))
    .attr('fill', 'var(--lathe-accent)');
  root
    .selectAll('.before')
    .data(known.filter(({ errorBefore }) => errorBefore !== null))
    .join('line')
    .attr('x1', (bar) => start(bar) - 1)
    .attr('x2', (bar) => round(start(bar) + thick + 1))
    .attr('y1', ({ errorBefore }) => errors.top + round(y(errorBefore ?? 0)))
    .attr('y2', ({ errorBefore }) => errors.top + round(y(errorBefore ?? 0)))
    .attr('stroke', 'var(--lathe-text)')
    .attr('stroke-width', 1.5);
  root
    .selectAll('.bits')
    .data(known)
    .join('rect')
    .attr('x', start)
    .attr('y', (bar) => bits.top + round(bitsY(bar.bits)))
    .attr('width', thick)
    .attr('height', (bar) => round(bits.height - bitsY(bar.bits)))
    .attr('fill', 'var(--lathe-bar)');
}

const percent = (share: number): string => `${short(share * 100)} %`;

const short = (value: number): string => String(Math.round(value * 100) / 100);
