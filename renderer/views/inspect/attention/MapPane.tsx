import { SegmentedControl, Select, Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Capture, Square } from '../../../../preload/contract/index.ts';
import { sameHead, toggledHead, type Shown } from '../../../state/inspect.ts';
import { visible } from '../../../ui/format.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { Loaded } from '../../Loaded.tsx';
import parts from '../parts/parts.module.css';
import classes from './Attention.module.css';
import { LinesView } from './LinesView.tsx';
import { MapView } from './MapView.tsx';

type What = 'pattern' | 'scores';

/** One map large: of a head, of a layer's mean, or through all layers. */
export function MapPane({ capture }: { capture: Capture }) {
  const { inspect } = useStudio();
  const shown = usePart(inspect.store, (state) => state.shown);
  const [form, setForm] = useState<'map' | 'lines'>('map');
  const [asked, setWhat] = useState<What>('pattern');
  const [isLog, setLog] = useState(false);
  const labels = useMemo(() => capture.tokens.map(({ text }) => visible(text)), [capture]);
  // Scores are those of a head alone: a mean of scores would mean nothing.
  const what = shown.kind === 'head' ? asked : 'pattern';
  const query = useQuery<Square>({
    queryKey: ['capture', capture.id, 'pattern', shown, what],
    queryFn: () => inspect.pattern(capture, shown, what),
    gcTime: 0,
    structuralSharing: false,
    // The map before stays until the next is there: no flicker while one walks through the heads.
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-label="Map" className={classes.pane}>
      <div className={parts.tools}>
        <h2>{titleOf(shown)}</h2>
        {shown.kind === 'head' && <OffSwitch layer={shown.layer} head={shown.head} />}
        <SegmentedControl
          aria-label="Form"
          value={form}
          onChange={setForm}
          data={[
            { value: 'map', label: 'Map' },
            { value: 'lines', label: 'Lines' },
          ]}
        />
        {shown.kind === 'head' && form === 'map' && (
          <SegmentedControl
            aria-label="Values"
            value={asked}
            onChange={setWhat}
            data={[
              { value: 'pattern', label: 'Weights' },
              { value: 'scores', label: 'Scores' },
            ]}
          />
        )}
        {form === 'map' && what === 'pattern' && (
          <Switch
            label="Logarithmic"
            checked={isLog}
            onChange={(event) => setLog(event.currentTarget.checked)}
          />
        )}
        <span className={parts.end}>
          <Source capture={capture} shown={shown} />
        </span>
      </div>
      <Loaded query={query}>
        {(square) =>
          form === 'map' ? (
            <MapView
              capture={capture}
              square={square}
              labels={labels}
              what={what}
              isLog={isLog && what === 'pattern'}
              title={titleOf(shown)}
            />
          ) : (
            <LinesView capture={capture} square={square} labels={labels} title={titleOf(shown)} />
          )
        }
      </Loaded>
    </section>
  );
}

function titleOf(shown: Shown): string {
  switch (shown.kind) {
    case 'head':
      return `Layer ${shown.layer} · head ${shown.head}`;
    case 'mean':
      return `Layer ${shown.layer} · mean of its heads`;
    case 'rollout':
      return 'Rollout through all layers';
    case 'flow':
      return 'Flow through all layers';
  }
}

/** Chooses between a head, the mean of its layer, and attention followed through the layers. */
function Source({ capture, shown }: { capture: Capture; shown: Shown }) {
  const { inspect } = useStudio();
  const layer = shown.kind === 'head' || shown.kind === 'mean' ? shown.layer : 0;
  const choose = (value: string | null): void => {
    if (value === 'head') inspect.show({ kind: 'head', layer, head: 0 });
    if (value === 'mean') inspect.show({ kind: 'mean', layer });
    if (value === 'rollout' || value === 'flow') inspect.show({ kind: value });
  };
  return (
    <>
      {shown.kind === 'mean' && (
        <Select
          size="xs"
          aria-label="Layer"
          w={96}
          value={String(layer)}
          data={Array.from({ length: capture.layers }, (_, index) => ({
            value: String(index),
            label: `Layer ${index}`,
          }))}
          onChange={(value) => inspect.show({ kind: 'mean', layer: Number(value) })}
        />
      )}
      <Select
        size="xs"
        aria-label="What the map shows"
        className={classes.source}
        value={shown.kind}
        data={[
          { value: 'head', label: 'One head' },
          { value: 'mean', label: 'Mean of a layer' },
          { value: 'rollout', label: 'Rollout' },
          { value: 'flow', label: 'Flow' },
        ]}
        onChange={choose}
      />
    </>
  );
}

function OffSwitch({ layer, head }: { layer: number; head: number }) {
  const { inspect } = useStudio();
  const off = usePart(inspect.store, (state) => state.off);
  return (
    <Switch
      label="Switch off"
      checked={off.some((other) => sameHead(other, { layer, head }))}
      onChange={() => inspect.setOff(toggledHead(off, { layer, head }))}
    />
  );
}
