import { useMemo } from 'react';
import type { Difference } from '../../../../preload/contract/index.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { toCsv } from '../../../ui/save.ts';
import { asSentence, fileName, formatFigure } from '../parts/figures.ts';
import { LinesChart } from '../parts/LinesChart.tsx';
import parts from '../parts/parts.module.css';

/** How alike the residual streams of the two are, layer by layer. */
export function Residual({ difference }: { difference: Difference }) {
  const { residualCosine, base, variant } = difference;
  const values = Array.from(residualCosine);
  const picture = useMemo(
    () => ({
      caption: 'Cosine, mean over the positions',
      steps: '0: the embedding, then behind each block',
      first: 0,
      lines: [{ label: variant, color: 'var(--lathe-accent)', values: residualCosine }],
    }),
    [residualCosine, variant],
  );
  const worst = worstStep(values);
  return (
    <section className={parts.section} aria-label="Residual stream">
      <div className={parts.head}>
        <h2>Residual stream</h2>
      </div>
      {values.length === 0 ? (
        <Empty>{asSentence(difference.note ?? 'the two models have not the same layers')}</Empty>
      ) : (
        <>
          <p className={parts.note}>
            {worst === null
              ? 'The two streams are the same behind every block.'
              : `Behind the last block the two point the same way by ${formatFigure(values.at(-1) ?? 1)}; the largest fall is in ${worst === 0 ? 'the embedding' : `block ${worst - 1}`}.`}
          </p>
          <LinesChart
            label="Cosine of the residual streams behind each block"
            step={(step) => (step === 0 ? 'behind the embedding' : `behind block ${step - 1}`)}
            picture={picture}
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
        </>
      )}
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
