import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useCallback, useMemo, useState } from 'react';
import type { Alternative, Capture, Direct } from '../../../../preload/contract/index.ts';
import { drawDirect, drawDirectHeads } from '../../../charts/direct.ts';
import { contributionsOf } from '../../../state/lens.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { visible } from '../../../ui/format.ts';
import { toCsv } from '../../../ui/save.ts';
import { Loaded } from '../../Loaded.tsx';
import { useStudio } from '../../studioContext.ts';
import { fileName, formatFigure } from '../parts/figures.ts';
import { useSlice } from '../useSlice.ts';
import classes from './Lens.module.css';

interface DirectPartProps {
  capture: Capture;
  position: number;
  candidates: readonly Alternative[];
}

/** So long a position must be looked at before its logit is taken apart. */
const settleMs = 120;

/** A logit as the sum of what every head and MLP wrote. */
export function DirectPart({ capture, position: asked, candidates }: DirectPartProps) {
  const { inspect } = useStudio();
  const [position] = useDebouncedValue(asked, settleMs);
  const [chosen, setChosen] = useState<{ position: number; id: number } | null>(null);
  // A token that was chosen for one position means nothing at another.
  const token = chosen?.position === position ? chosen.id : undefined;
  const query = useSlice(capture, ['direct', position, token], () =>
    inspect.direct(capture, position, token),
  );
  return (
    <>
      <h3>Direct logit attribution</h3>
      {candidates.length > 0 && (
        <Select
          size="xs"
          aria-label="Token whose logit is taken apart"
          className={classes.token}
          value={String(token ?? candidates[0]?.id)}
          data={candidates.map(({ id, text }) => ({ value: String(id), label: visible(text) }))}
          onChange={(value) => setChosen({ position: asked, id: Number(value) })}
        />
      )}
      <Loaded query={query}>
        {(direct) => <Parts capture={capture} position={position} direct={direct} />}
      </Loaded>
    </>
  );
}

function Parts({
  capture,
  position,
  direct,
}: {
  capture: Capture;
  position: number;
  direct: Direct;
}) {
  const parts = useMemo(() => contributionsOf(direct), [direct]);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawDirect(svg, parts, width),
    [parts],
  );
  const heads = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawDirectHeads(
        svg,
        direct.layers.map((layer) => layer.heads),
        width,
      ),
    [direct],
  );
  const name = fileName(capture.model, `direct-${position}`);
  const csv = (): string =>
    toCsv(
      ['layer', 'part', 'logit'],
      [
        [null, 'embedding', direct.embedding],
        ...direct.layers.flatMap(({ heads: all, mlp }, layer) => [
          ...all.map((value, head) => [layer, `head ${head}`, value] as const),
          [layer, 'mlp', mlp] as const,
        ]),
        [null, 'biases', direct.rest],
      ],
    );
  return (
    <>
      <p className={classes.note}>
        The logit {formatFigure(direct.logit)} of{' '}
        <span className="mono">{visible(direct.token.text)}</span> as a sum over what was written
        into the residual stream, the last norm held fast.
      </p>
      <Chart
        label={`Logit of ${visible(direct.token.text)} by layer: attention and MLP`}
        draw={draw}
        save={{ name, csv, json: () => direct }}
      />
      <Chart
        label="Logit by layer and head"
        draw={heads}
        save={{ name: `${name}-heads`, csv, json: () => direct }}
      />
    </>
  );
}
