import { useLayoutEffect, useRef } from 'react';
import { drawProbabilityLegend } from '../../charts/probability.ts';
import classes from './OutputPane.module.css';

/** The scale of the token colours. */
export function ProbabilityLegend() {
  const svg = useRef<SVGSVGElement>(null);
  useLayoutEffect(() => {
    if (svg.current) drawProbabilityLegend(svg.current, (shade) => `var(--lathe-p${shade})`);
  }, []);
  return (
    <span className={classes.legend}>
      <svg ref={svg} role="img" aria-label="Colours by probability, from 0.001 to 1" />
    </span>
  );
}
