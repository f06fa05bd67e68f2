import { useLayoutEffect, useRef, useState } from 'react';
import classes from './Chart.module.css';
import { SaveMenu, type SaveSources } from './SaveMenu.tsx';

interface ChartProps {
  /** Said to those who do not see the picture. */
  label: string;
  /** Draws into the empty SVG at a width in pixels. */
  draw: (svg: SVGSVGElement, width: number) => void;
  /** Offers the picture, and what it shows, as files. */
  save?: Omit<SaveSources, 'svg' | 'canvas'>;
  /** Puts the button above a picture that is full to its upper edge. */
  saveAbove?: boolean;
}

/** A picture drawn by one of the charts, at the width of its surroundings. */
export function Chart({ label, draw, save, saveAbove = false }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(0);

  useLayoutEffect(() => {
    if (!frame.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (svg.current && width > 0) draw(svg.current, width);
  }, [draw, width]);

  return (
    <div ref={frame} className={classes.frame}>
      <svg ref={svg} role="img" aria-label={label} />
      {save && (
        <span className={classes.save} data-above={saveAbove || undefined}>
          <SaveMenu label={`Save the picture: ${label}`} svg={() => svg.current} {...save} />
        </span>
      )}
    </div>
  );
}
