import { useCallback, useMemo, useState, type PointerEvent } from 'react';
import type { LayerReport } from '../../../preload/contract/index.ts';
import { layerAt } from '../../charts/layerAxis.ts';
import { drawLayers } from '../../charts/layers.ts';
import { Chart } from '../../ui/Chart.tsx';
import { formatShare } from '../../ui/format.ts';
import classes from './LayerChart.module.css';
import { layersCsv } from './layerRows.ts';
import { useSlots } from './useSlots.ts';

interface LayerChartProps {
  /** Names the saved files. */
  name: string;
  /** The model that the layers were of before; its other layers keep their places. */
  model: string;
  layers: readonly LayerReport[];
}

const measures: Readonly<Record<LayerReport['measure'], string>> = {
  output: 'Relative error of the output',
  weight: 'Relative error of the weights',
};

/** Error and bits of every layer, with the exact values of the one under the pointer. */
export function LayerChart({ name, model, layers }: LayerChartProps) {
  const slots = useSlots(model, layers);
  const [pointed, setPointed] = useState<string | null>(null);
  const picture = useMemo(() => {
    const bars = layers.map(({ layer, errorBefore, errorAfter, bits }) => ({
      name: layer,
      errorBefore,
      errorAfter,
      bits,
    }));
    return { slots, bars, caption: measures[layers[0]?.measure ?? 'output'] };
  }, [slots, layers]);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawLayers(svg, picture, width),
    [picture],
  );
  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(layerAt(picture.slots, width, event.clientX - left));
  };
  const shown = layers.find(({ layer }) => layer === pointed);
  return (
    <div className={classes.chart}>
      <div onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        <Chart
          label={`${picture.caption} and bits of ${layers.length} layers`}
          draw={draw}
          save={{ name: `${name}-layers`, csv: () => layersCsv(layers), json: () => layers }}
        />
      </div>
      <p className={classes.readout}>
        {shown ? (
          <>
            <span className="mono">{shown.layer}</span> {valuesOf(shown)}
          </>
        ) : (
          <>
            <span className={classes.after} aria-hidden="true" /> after this pass
            {layers.some(({ errorBefore }) => errorBefore !== null) && (
              <>
                <span className={classes.before} aria-hidden="true" /> by rounding alone, or as it
                came
              </>
            )}
          </>
        )}
      </p>
    </div>
  );
}

function valuesOf({ errorBefore, errorAfter, bits, seconds, note }: LayerReport): string {
  const error = [errorBefore, errorAfter].filter((value) => value !== null).map(formatShare);
  return [
    error.length > 0 && `error ${error.join(' → ')}`,
    `${bits.toFixed(2)} bits`,
    `${seconds.toFixed(2)} s`,
    note,
  ]
    .filter(Boolean)
    .join(' · ');
}
