import { useCallback } from 'react';
import type { Difference } from '../../../../preload/contract/index.ts';
import { drawLines } from '../../../charts/lines.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { toCsv } from '../../../ui/save.ts';
import { fileName, formatFigure } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';

/** How alike the residual streams of the two are, layer by layer. */
export function Residual({ difference }: { difference: Difference }) {
  const { residualCosine, base, variant } = difference;
  const values = Array.from(residualCosine);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawLines(
        svg,
        {
          caption: 'Cosine, mean over the positions',
          steps: 'behind block (0: the embedding)',
          first: 0,
          lines: [
            {
              label: `${variant} with ${base}`,
              color: 'var(--lathe-accent)',
              values: residualCosine,
            },
          ],
        },
        width,
      ),
    [residualCosine, base, variant],
  );
  const worst = worstStep(values);
  return (
    <section className={parts.section} aria-label="Residual stream">
      <div className={parts.head}>
        <h2>Residual stream</h2>
      </div>
      <p className={parts.note}>
        {worst === null
          ? 'The two streams are the same behind every block.'
          : `Behind the last block the two point the same way by ${formatFigure(values.at(-1) ?? 1)}; the largest fall is in ${worst === 0 ? 'the embedding' : `block ${worst - 1}`}.`}
      </p>
      <Chart
        label="Cosine of the residual streams behind each block"
        draw={draw}
        save={{
          name: `${fileName(base, variant)}-residual`,
          csv: () =>
            toCsv(
              ['behind', 'cosine'],
              values.map((value, at) => [at, value]),
            ),
          npy: () => ({ shape: [residualCosine.length], data: residualCosine }),
        }}
      />
    </section>
  );
}

/** Where the cosine falls most; null where it nowhere does. */
function worstStep(values: readonly number[]): number | null {
  let worst: number | null = null;
  let most = 1e-6;
  for (const [at, value] of values.entries()) {
    const fall = (values[at - 1] ?? 1) - value;
    if (fall > most) {
      most = fall;
      worst = at;
    }
  }
  return worst;
}
