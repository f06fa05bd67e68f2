import { Slider } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import type { MemoryEstimate } from '../../../preload/contract/index.ts';
import { drawMemory } from '../../charts/memory.ts';
import { Chart } from '../../ui/Chart.tsx';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { useStudio } from '../studioContext.ts';
import classes from './MemoryEstimateBlock.module.css';
import tabs from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';

/** What running the model will take, by context. */
export function MemoryEstimateBlock({ model, longest }: { model: string; longest: number }) {
  const { models } = useStudio();
  const [context, setContext] = useState(longest);
  const [asked] = useDebouncedValue(context, 150);
  const query = useQuery({
    queryKey: ['memory', model, asked],
    queryFn: () => models.memoryAt(model, asked),
    placeholderData: keepPreviousData,
  });
  const step = Math.max(1, Math.round(longest / 32));
  return (
    <div className={tabs.block}>
      <h3>Memory to run, at {formatCount(context)} tokens of context</h3>
      <Slider
        thumbLabel="Context in tokens"
        value={context}
        min={Math.min(step, longest)}
        max={longest}
        step={step}
        mb={12}
        onChange={setContext}
      />
      <Loaded query={query}>{(estimate) => <Parts estimate={estimate} />}</Loaded>
    </div>
  );
}

function Parts({ estimate }: { estimate: MemoryEstimate }) {
  const { weights, cache, activations, total, available } = estimate;
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawMemory(svg, partsOf({ weights, cache, activations }), available, width),
    [weights, cache, activations, available],
  );
  return (
    <>
      <Chart label={`Memory: ${formatBytes(total)} of ${formatBytes(available)}`} draw={draw} />
      <dl className={classes.memory}>
        {partsOf({ weights, cache, activations }).map(({ label, bytes, color }) => (
          <div key={label}>
            <dt>
              <span className={classes.swatch} style={{ background: color }} />
              {label}
            </dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        ))}
        <div>
          <dt>Together</dt>
          <dd className={total > available ? classes.warning : undefined}>
            {formatBytes(total)} of {formatBytes(available)}
          </dd>
        </div>
      </dl>
    </>
  );
}

const partsOf = ({
  weights,
  cache,
  activations,
}: Pick<MemoryEstimate, 'weights' | 'cache' | 'activations'>) => [
  { label: 'Weights', bytes: weights, color: 'var(--lathe-category1)' },
  { label: 'Cache', bytes: cache, color: 'var(--lathe-category2)' },
  { label: 'Activations', bytes: activations, color: 'var(--lathe-category3)' },
];
