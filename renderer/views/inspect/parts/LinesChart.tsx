import { useCallback, useState, type PointerEvent } from 'react';
import { drawLines, stepAt, type LinesPicture } from '../../../charts/lines.ts';
import { Chart } from '../../../ui/Chart.tsx';
import type { SaveSources } from '../../../ui/SaveMenu.tsx';
import { formatFigure } from './figures.ts';
import parts from './parts.module.css';

interface LinesChartProps {
  /** Said to those who do not see the picture. */
  label: string;
  /** Names a step under the pointer: `rank 3`. */
  step: (step: number) => string;
  picture: LinesPicture;
  save: Omit<SaveSources, 'svg' | 'canvas'>;
}

/** Values against their place, with the exact ones under the pointer. */
export function LinesChart({ label, step, picture, save }: LinesChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawLines(svg, picture, width),
    [picture],
  );
  const count = Math.max(...picture.lines.map(({ values }) => values.length));
  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(stepAt(count, width, event.clientX - left));
  };
  return (
    <>
      <div onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        <Chart label={label} draw={draw} save={save} />
      </div>
      <p className={parts.value}>
        {pointed !== null &&
          [
            step(picture.first + pointed),
            ...picture.lines.map(({ label: name, values }) => {
              const value = values[pointed];
              const figure = value === undefined ? '–' : formatFigure(value);
              return picture.lines.length > 1 ? `${name} ${figure}` : figure;
            }),
          ].join(' · ')}
      </p>
    </>
  );
}
