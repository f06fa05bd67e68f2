import { Slider } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import type { Capture, Square } from '../../../../preload/contract/index.ts';
import { arcsHeight, drawArcs, strongest, tokenAt, type Arcs } from '../../../charts/arcs.ts';
import type { Box, Surface } from '../../../charts/surface.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { formatCount } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeCanvas, wholeSvg } from '../../../ui/wholePicture.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './Attention.module.css';

interface LinesViewProps {
  capture: Capture;
  square: Square;
  labels: readonly string[];
  title: string;
}

/** Attention as lines from token to token; a token under the pointer keeps only its own. */
export function LinesView({ capture, square, labels, title }: LinesViewProps) {
  const { tokens, data } = square;
  const [width, setWidth] = useState(0);
  const [threshold, setThreshold] = useState(0.1);
  const [pointed, setPointed] = useState<Arcs['pointed']>(null);
  const arcs = useMemo(
    (): Arcs => ({ tokens, labels, data, threshold, pointed }),
    [tokens, labels, data, threshold, pointed],
  );
  const { lines, all } = useMemo(() => strongest(arcs), [arcs]);
  const draw = useCallback(
    (surface: Surface, shown: Box) => drawArcs(surface, arcs, shown.width, shown),
    [arcs],
  );
  const whole = { x: 0, y: 0, width, height: arcsHeight(tokens) };
  return (
    <>
      <div className={parts.canvas}>
        <CanvasView
          label={`${all} lines from token to token, ${title}`}
          size={(room) => ({ width: room.width, height: arcsHeight(tokens) })}
          draw={draw}
          onRoom={(room: Size) => setWidth(room.width)}
          onPoint={(point) => {
            const next = point && tokenAt(tokens, width, point);
            setPointed((before) =>
              before?.side === next?.side && before?.token === next?.token ? before : next,
            );
          }}
        />
      </div>
      <div className={parts.tools}>
        <span className={classes.note}>at least {threshold.toFixed(2)}</span>
        <Slider
          className={classes.slider}
          thumbProps={{ 'aria-label': 'Least weight drawn' }}
          min={0.01}
          max={1}
          step={0.01}
          value={threshold}
          onChange={setThreshold}
        />
        <output className={classes.note}>
          {lines.length < all
            ? `the strongest ${formatCount(lines.length)} of ${formatCount(all)} lines`
            : `${formatCount(all)} ${all === 1 ? 'line' : 'lines'}`}
        </output>
        <span className={parts.end}>
          <SaveMenu
            label="Save the lines"
            name={fileName(capture.model, title, 'lines')}
            svg={() => wholeSvg(whole, (surface) => drawArcs(surface, arcs, width, whole))}
            canvas={() => wholeCanvas(whole, (surface) => drawArcs(surface, arcs, width, whole))}
            csv={() =>
              toCsv(
                ['from', 'from_token', 'to', 'to_token', 'weight'],
                lines.map(({ from, to, weight }) => [
                  from,
                  capture.tokens[from]?.text ?? '',
                  to,
                  capture.tokens[to]?.text ?? '',
                  weight,
                ]),
              )
            }
            json={() => lines}
          />
        </span>
      </div>
    </>
  );
}
