import { markup, type Markup } from './html.ts';
import { shade } from './style.ts';

const cell = { width: 26, height: 20, gap: 2 };
const left = 64;
const top = 24;

/** Layers × heads, coloured by how much their patterns differ. Figures are in each cell's title. */
export function headGrid(heads: readonly number[], divergence: Float32Array): Markup {
  const most = divergence.reduce((a, b) => Math.max(a, b), 0);
  const columns = Math.max(...heads);
  const width = left + columns * (cell.width + cell.gap);
  const bottom = top + heads.length * (cell.height + cell.gap);
  const x = (head: number): number => left + head * (cell.width + cell.gap);
  const y = (layer: number): number => top + layer * (cell.height + cell.gap);
  let at = 0;
  const cells = heads.map((count, layer) =>
    Array.from({ length: count }, (_, head) => {
      const value = divergence[at++];
      const fill = shade(most === 0 ? 0 : value / most);
      return markup`<rect
        x="${x(head)}"
        y="${y(layer)}"
        width="${cell.width}"
        height="${cell.height}"
        rx="2"
        fill="${fill}"
        ><title>layer ${layer}, head ${head}: ${value.toPrecision(3)} bit</title></rect
      >`;
    }),
  );
  const rows = heads.map(
    (_, layer) =>
      markup`<text x="${left - 8}" y="${y(layer) + 14}" text-anchor="end">layer ${layer}</text>`,
  );
  const names = Array.from(
    { length: columns },
    (_, head) =>
      markup`<text x="${x(head) + cell.width / 2}" y="${top - 8}" text-anchor="middle"
        >${head}</text
      >`,
  );
  return markup`<svg
    viewBox="0 0 ${Math.max(width, 320)} ${bottom + 40}"
    width="${Math.max(width, 320)}"
    role="img"
    aria-label="Jensen–Shannon divergence of the attention patterns of every head"
  >
    ${names}${rows}${cells}${ramp(bottom + 8, most)}
  </svg>`;
}

/** The scale of a picture from 0 to its largest value. */
function ramp(y: number, most: number): Markup {
  const steps = 32;
  const width = 160 / steps;
  const strip = Array.from(
    { length: steps },
    (_, step) =>
      markup`<rect
        x="${left + step * width}"
        y="${y}"
        width="${width + 0.5}"
        height="8"
        fill="${shade(step / (steps - 1))}"
      />`,
  );
  return markup`${strip}<text x="${left}" y="${y + 22}">0</text
    ><text x="${left + 160}" y="${y + 22}" text-anchor="end">${most.toPrecision(2)} bit</text>`;
}

const plot = { left: 64, top: 16, width: 640, height: 160 };

/** Cosines from the embedding to the last block. */
export function cosineLine(cosines: Float32Array): Markup {
  const least = Math.min(...cosines);
  // At least some depth, so that equal models do not look different.
  const floor = Math.min(0.99, Math.floor(least * 100) / 100);
  const x = (at: number): number =>
    plot.left + (cosines.length === 1 ? 0 : (at / (cosines.length - 1)) * plot.width);
  const y = (cosine: number): number => plot.top + ((1 - cosine) / (1 - floor)) * plot.height;
  const points = Array.from(cosines, (cosine, at) => `${round(x(at))},${round(y(cosine))}`);
  const ticks = [1, (1 + floor) / 2, floor].map(
    (tick) =>
      markup`<line
          class="axis"
          x1="${plot.left}"
          x2="${plot.left + plot.width}"
          y1="${round(y(tick))}"
          y2="${round(y(tick))}"
        /><text x="${plot.left - 8}" y="${round(y(tick)) + 4}" text-anchor="end"
          >${tick.toFixed(3)}</text
        >`,
  );
  const dots = Array.from(
    cosines,
    (cosine, at) =>
      markup`<circle class="dot" cx="${round(x(at))}" cy="${round(y(cosine))}" r="3"
        ><title>behind ${nameOf(at)}: ${cosine.toFixed(5)}</title></circle
      >`,
  );
  const labels = [0, cosines.length - 1].map(
    (at, end) =>
      markup`<text
        x="${round(x(at))}"
        y="${plot.top + plot.height + 20}"
        text-anchor="${end === 0 ? 'start' : 'end'}"
        >${nameOf(at)}</text
      >`,
  );
  const width = plot.left + plot.width + 16;
  return markup`<svg
    viewBox="0 0 ${width} ${plot.top + plot.height + 28}"
    width="${width}"
    role="img"
    aria-label="Cosine of the residual streams of both models, layer by layer"
  >
    ${ticks}
    <polyline class="curve" points="${points.join(' ')}" />
    ${dots}${labels}
  </svg>`;
}

const nameOf = (at: number): string => (at === 0 ? 'embedding' : `block ${at - 1}`);

const round = (value: number): number => Math.round(value * 10) / 10;
