import { useCallback, useMemo, useState, type PointerEvent } from 'react';
import type { LayerReport, Step } from '../../../preload/contract/index.ts';
import { layerAt } from '../../charts/layerAxis.ts';
import { drawSensitivity } from '../../charts/sensitivity.ts';
import { Chart } from '../../ui/Chart.tsx';
import { toCsv } from '../../ui/save.ts';
import classes from './LayerChart.module.css';
import { useSlots } from './useSlots.ts';

type Mixed = Extract<Step, { pass: 'quantize-mixed' }>;

const captions: Readonly<Record<Mixed['sensitivity'], string>> = {
  'weight-error': 'Squared relative error of the weights, by bits',
  'layer-error': 'Squared relative error of the output, by bits',
  'logit-kl': 'KL divergence of the logits, nats, by bits',
  fisher: 'Fisher proxy of the KL divergence of the logits, nats, by bits',
};

interface SensitivityChartProps {
  /** Names the saved files. */
  name: string;
  /** The model that the layers were of before. */
  model: string;
  step: Step | undefined;
  layers: readonly LayerReport[];
}

/** What every number of bits would have cost each layer; nothing where that was not measured. */
export function SensitivityChart({ name, model, step, layers }: SensitivityChartProps) {
  const slots = useSlots(model, layers);
  const measured = useMemo(() => layers.filter(({ sensitivity }) => sensitivity), [layers]);
  const [pointed, setPointed] = useState<string | null>(null);
  const caption = step?.pass === 'quantize-mixed' ? captions[step.sensitivity] : '';
  const picture = useMemo(
    () => ({
      slots,
      layers: measured.map((report) => ({
        name: report.layer,
        choices: report.sensitivity ?? [],
        chosen: chosenBits(report),
      })),
      caption,
    }),
    [slots, measured, caption],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawSensitivity(svg, picture, width),
    [picture],
  );
  if (measured.length === 0) return null;
  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(layerAt(slots, width, event.clientX - left));
  };
  const shown = picture.layers.find((layer) => layer.name === pointed);
  return (
    <div className={classes.chart}>
      <div onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        <Chart
          label={`${caption}, of ${measured.length} layers`}
          draw={draw}
          save={{ name: `${name}-sensitivity`, csv: () => csvOf(measured) }}
        />
      </div>
      <p className={classes.readout}>
        {shown ? (
          <>
            <span className="mono">{shown.name}</span>{' '}
            {shown.choices
              .map(({ bits, error }) => `${bits} bits ${error.toPrecision(3)}`)
              .join(' · ')}{' '}
            · given {shown.chosen} bits
          </>
        ) : (
          'The ringed choice is the one each layer was given.'
        )}
      </p>
    </div>
  );
}

/** The choice that takes what the layer takes now. */
function chosenBits({ sensitivity, bytes }: LayerReport): number {
  const [nearest] = (sensitivity ?? []).toSorted(
    (a, b) => Math.abs(a.bytes - bytes) - Math.abs(b.bytes - bytes),
  );
  return nearest?.bits ?? 0;
}

const csvOf = (layers: readonly LayerReport[]): string =>
  toCsv(
    ['layer', 'bits', 'bytes', 'error', 'chosen'],
    layers.flatMap((report) =>
      (report.sensitivity ?? []).map(({ bits, bytes, error }) => [
        report.layer,
        bits,
        bytes,
        error,
        bits === chosenBits(report) ? 1 : 0,
      ]),
    ),
  );
