import { line, max, scaleLinear } from 'd3';
import { blank, legend, round, rule, tickText, write } from './frame.ts';

/** A process's memory over time, in step. */
export interface MemorySeries {
  readonly label: string;
  readonly color: string;
  readonly ms: readonly number[];
  readonly bytes: readonly number[];
  /** In the order they came; each lasts until the next begins. */
  readonly phases: readonly { readonly phase: string; readonly startMs: number }[];
}

const left = 56;
const right = 8;
const plot = 128;
const lane = 16;
/** Wide enough for a character of a phase's name. */
const characterWidth = 6.5;

/** Draws the resident set over time, and below it a lane for each run with what it did when. */
export function drawMemoryTrace(
  svg: SVGSVGElement,
  series: readonly MemorySeries[],
  width: number,
): void {
  const root = blank(svg, width, 0);
  const names = legend(root, series, { left, top: 0, width: width - left - right });
  const top = names + 24;
  const bottom = top + plot;
  const lanes = bottom + 24;
  const height = lanes + series.length * (lane + 4) + 20;
  root.attr('viewBox', `0 0 ${width} ${height}`).attr('height', height);
  write(root, left, names + 8, 'Resident set of the process, MB');

  const x = xOf(series, width);
  const y = scaleLinear([0, (max(series, ({ bytes }) => max(bytes)) || 1e6) / 1e6], [bottom, top]);
  y.nice(4);
  for (const tick of y.ticks(4)) {
    rule(root, [left, y(tick)], [width - right, y(tick)]);
    write(root, left - 8, y(tick), tickText(tick), 'end');
  }
  for (const tick of x.ticks(Math.max(2, Math.floor(width / 96)))) {
    write(root, x(tick), bottom + 12, tickText(tick / 1000), 'middle');
  }
  write(root, width - right, height - 12, 'Seconds since the start', 'end');
  for (const [index, each] of series.entries()) {
    const path = line<readonly [number, number]>(
      ([ms]) => round(x(ms)),
      ([, bytes]) => round(y(bytes / 1e6)),
    );
    root
      .append('path')
      .attr('d', path(thinned(each, width)))
      .attr('fill', 'none')
      .attr('stroke', each.color)
      .attr('stroke-width', 1.5);
    const laneTop = lanes + index * (lane + 4);
    for (const { phase, startMs, endMs } of spansOf(each)) {
      const start = x(startMs);
      const length = Math.max(1, x(endMs) - start - 1);
      root
        .append('rect')
        .attr('x', round(start))
        .attr('y', laneTop)
        .attr('width', round(length))
        .attr('height', lane)
        .attr('fill', 'var(--lathe-track)');
      root
        .append('rect')
        .attr('x', round(start))
        .attr('y', laneTop)
        .attr('width', round(Math.min(2, length)))
        .attr('height', lane)
        .attr('fill', each.color);
      if (length > phase.length * characterWidth + 12) {
        write(root, start + 8, laneTop + lane / 2, phase);
      }
    }
  }
}

/** The time at a place of the picture, in pixels from its left; null beside it. */
export function momentAt(
  series: readonly MemorySeries[],
  width: number,
  at: number,
): number | null {
  return at < left || at > width - right ? null : xOf(series, width).invert(at);
}

/** What a run held at a time, and what it was doing; null where it was not running. */
export function memoryAt(
  series: MemorySeries,
  ms: number,
): { readonly bytes: number; readonly phase: string | null } | null {
  const next = series.ms.findIndex((time) => time > ms);
  const bytes = series.bytes[(next === -1 ? series.ms.length : next) - 1];
  if (bytes === undefined || ms > (series.ms.at(-1) ?? 0)) return null;
  const phase = series.phases.findLast(({ startMs }) => startMs <= ms)?.phase ?? null;
  return { bytes, phase };
}

const xOf = (series: readonly MemorySeries[], width: number) =>
  scaleLinear(
    [0, max(series, ({ ms }) => ms.at(-1)) || 1],
    [left, Math.max(left + 16, width - right)],
  );

const spansOf = ({ phases, ms }: MemorySeries) =>
  phases.map(({ phase, startMs }, index) => ({
    phase,
    startMs,
    endMs: Math.max(startMs, phases[index + 1]?.startMs ?? ms.at(-1) ?? startMs),
  }));

/** At most two points for a pixel; of those that share one, the largest stays. */
function thinned({ ms, bytes }: MemorySeries, width: number): (readonly [number, number])[] {
  const every = Math.max(1, Math.ceil(ms.length / (2 * width)));
  const points: (readonly [number, number])[] = [];
  for (let start = 0; start < ms.length; start += every) {
    const largest = Math.max(...bytes.slice(start, start + every));
    points.push([ms[start] ?? 0, largest]);
  }
  return points;
}
