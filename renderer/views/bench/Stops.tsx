import { Button, TagsInput } from '@mantine/core';
import type { ModelRecord } from '../../../preload/contract/index.ts';
import { cleanStops, usualStops, type BenchSetup, type SweepName } from '../../state/benchSetup.ts';
import { formatCount } from '../../ui/format.ts';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Setup.module.css';

const titles: Readonly<Record<SweepName, string>> = {
  contexts: 'Prompt lengths',
  batches: 'Batch sizes',
  threadCounts: 'Threads',
};

interface StopsProps {
  sweep: SweepName;
  setup: BenchSetup;
  chosen: readonly ModelRecord[];
  error: string | undefined;
}

/** The stops of a sweep: numbers to type, or the usual ones by a click. */
export function Stops({ sweep, setup, chosen, error }: StopsProps) {
  const { bench, settings } = useStudio();
  const cores = usePart(settings.store, ({ info }) => info?.cores ?? 1);
  const stops = setup[sweep];
  const usual = usualStops(sweep, setup, chosen, cores);
  const isUsual = stops.join() === usual.join();
  return (
    <div className={classes.stops}>
      <div className={classes.stopsTitle}>
        <span aria-hidden="true">{titles[sweep]}</span>
        <Button
          size="xs"
          variant="subtle"
          disabled={usual.length === 0}
          aria-label={
            isUsual ? `Leave out ${titles[sweep]}` : `Take the usual stops of ${titles[sweep]}`
          }
          onClick={() => bench.change({ [sweep]: isUsual ? [] : usual })}
        >
          {isUsual ? 'Leave out' : `Take ${span(usual)}`}
        </Button>
      </div>
      <TagsInput
        aria-label={`Stops of ${titles[sweep]}`}
        placeholder={stops.length === 0 ? 'Numbers, Enter adds one' : ''}
        value={stops.map(String)}
        error={error}
        splitChars={[',', ' ']}
        renderPill={({ value, onRemove }) => (
          <RemovablePill value={String(value)} onRemove={onRemove} />
        )}
        onChange={(next) => bench.change({ [sweep]: cleanStops(sweep, next.map(Number)) })}
      />
    </div>
  );
}

/** `16 … 448`. */
function span(stops: readonly number[]): string {
  const [first] = stops;
  const last = stops.at(-1);
  if (first === undefined || last === undefined) return 'none';
  return stops.length < 3
    ? stops.map(formatCount).join(', ')
    : `${formatCount(first)} … ${formatCount(last)}`;
}
