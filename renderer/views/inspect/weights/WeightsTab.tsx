import { Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState, type KeyboardEvent } from 'react';
import type { LinearFacts, ModelRecord } from '../../../../preload/contract/index.ts';
import { modelKey } from '../../../state/models.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { Loaded } from '../../Loaded.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import parts from '../parts/parts.module.css';
import { Matrix } from './Matrix.tsx';
import { Neighbours } from './Neighbours.tsx';
import classes from './weights.module.css';

/** The matrices of a model as numbers, beside those of the model it was made from. */
export function WeightsTab() {
  const { inspect, weights } = useStudio();
  const model = usePart(inspect.store, (state) => state.model);
  const query = useQuery({
    queryKey: ['linears', model],
    enabled: model !== null,
    queryFn: () => weights.linears(model ?? ''),
  });
  if (model === null) return <Empty>Choose a model above to see its matrices.</Empty>;
  return (
    <Loaded query={query}>
      {(layers) =>
        layers.length === 0 ? (
          <Empty>This model has no linear layers that Lathe can read as matrices.</Empty>
        ) : (
          <Layers model={model} layers={layers} />
        )
      }
    </Loaded>
  );
}

const none: readonly ModelRecord[] = [];

function Layers({ model, layers }: { model: string; layers: readonly LinearFacts[] }) {
  const { weights, models } = useStudio();
  const known = usePart(models.store, (state) => state.models) ?? none;
  const { against, layer: asked } = usePart(weights.store, (state) => state);
  const layer = layers.find(({ name }) => name === asked)?.name ?? layers[0]?.name ?? '';
  const parent = known.find((record) => modelKey(record) === model)?.parent ?? null;
  const query = useQuery({
    queryKey: ['weights', model, layer, against],
    gcTime: 60_000,
    queryFn: () => weights.weights(model, layer, against),
  });
  return (
    <div className={classes.view}>
      <List layers={layers} layer={layer} />
      <div className={parts.scroll}>
        <div className={classes.bar}>
          <h2 className="mono">{layer}</h2>
          <span className={parts.named}>
            Compared with
            <Select
              aria-label="Model to compare with"
              size="xs"
              className={classes.against}
              value={against ?? ''}
              data={[
                { value: '', label: parent === null ? 'no other' : `${parent} (its parent)` },
                ...known
                  .filter((record) => modelKey(record) !== model && record.name !== parent)
                  .map((record) => ({ value: modelKey(record), label: record.name })),
              ]}
              onChange={(key) => weights.change({ against: key === '' ? null : key })}
            />
          </span>
        </div>
        <Loaded query={query}>
          {(matrix) => (
            <Matrix
              model={model}
              matrix={matrix}
              isCompared={against !== null || parent !== null}
            />
          )}
        </Loaded>
        <Neighbours model={model} />
      </div>
    </div>
  );
}

/** All layers in the order they run; arrows walk through them. */
function List({ layers, layer }: { layers: readonly LinearFacts[]; layer: string }) {
  const { weights } = useStudio();
  const [search, setSearch] = useState('');
  const shown = layers.filter(({ name }) => name.includes(search));
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = shown.findIndex(({ name }) => name === layer);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + step))];
    if (!next) return;
    weights.change({ layer: next.name });
    event.currentTarget.querySelector<HTMLElement>(`[data-layer="${next.name}"]`)?.focus();
  };
  return (
    <nav className={classes.list} aria-label="Layers">
      <TextInput
        size="xs"
        aria-label="Search layers"
        placeholder="Name of a layer"
        className={classes.search}
        leftSection={<IconSearch size={14} stroke={1.5} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {/* The buttons within are what is walked through. */}
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions */}
      <div className={classes.names} onKeyDown={onKeyDown}>
        {shown.map(({ name, block, bits }, index) => (
          <button
            key={name}
            type="button"
            data-layer={name}
            data-first={shown[index - 1]?.block !== block || undefined}
            aria-current={name === layer || undefined}
            tabIndex={
              name === layer || (index === 0 && !shown.some((each) => each.name === layer)) ? 0 : -1
            }
            className={classes.layer}
            onClick={() => weights.change({ layer: name })}
          >
            <span>{name}</span>
            <span>{bits.toFixed(1)} bit</span>
          </button>
        ))}
        {shown.length === 0 && <p className={parts.note}>No layer has “{search}” in its name.</p>}
      </div>
    </nav>
  );
}
