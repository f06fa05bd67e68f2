import { useState, type PointerEvent, type ReactNode } from 'react';
import { Chart } from '../../ui/Chart.tsx';
import type { SaveSources } from '../../ui/SaveMenu.tsx';
import classes from './Results.module.css';

interface ReadChartProps<Place> {
  title: string;
  /** Said to those who do not see the picture. */
  label: string;
  draw: (svg: SVGSVGElement, width: number) => void;
  save: Omit<SaveSources, 'svg' | 'canvas'>;
  /** What of the picture lies so many pixels from its left; null beside it. */
  find: (width: number, at: number) => Place | null;
  /** The exact values there. */
  read: (place: Place) => string;
  /** What stands there while nothing is pointed at. */
  idle: string;
  /** What chooses what is drawn. */
  children?: ReactNode;
  isWide?: boolean;
}

/** A picture with its title, and below it the exact values under the pointer. */
export function ReadChart<Place>(props: ReadChartProps<Place>) {
  const { title, label, draw, save, find, read, idle, children, isWide } = props;
  const [at, setAt] = useState<{ x: number; width: number } | null>(null);
  const place = at && find(at.width, at.x);
  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAt({ x: event.clientX - left, width: Math.floor(width) });
  };
  return (
    <section aria-label={title} className={classes.card} data-wide={isWide || undefined}>
      <div className={classes.cardTitle}>
        <h2>{title}</h2>
        {children}
      </div>
      <div className={classes.picture} onPointerMove={point} onPointerLeave={() => setAt(null)}>
        <Chart label={label} draw={draw} save={save} />
        {at && place !== null && <span className={classes.cursor} style={{ left: at.x }} />}
      </div>
      <p className={classes.readout}>{place === null ? idle : read(place)}</p>
    </section>
  );
}
