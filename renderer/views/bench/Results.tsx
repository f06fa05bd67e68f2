import { Empty } from '../../ui/Empty.tsx';
import { fileName } from './benchWords.ts';
import { Circumstances } from './Circumstances.tsx';
import { LatencyCard } from './LatencyCard.tsx';
import { MemoryCard } from './MemoryCard.tsx';
import { OperatorsCard } from './OperatorsCard.tsx';
import classes from './Results.module.css';
import type { Shown } from './shown.ts';
import { Summary } from './Summary.tsx';
import { SweepCard, sweepPictures } from './SweepCard.tsx';
import { useSamples } from './useSamples.ts';

/** Figures and pictures of the measurements that are chosen. */
export function Results({ shown }: { shown: readonly Shown[] }) {
  const samples = useSamples(shown);
  if (shown.length === 0)
    return <Empty>Choose a measurement above, or up to four to compare them.</Empty>;
  const records = shown.map(({ record }) => record);
  const name = fileName(records.map(({ model }) => model).join('-'));
  const swept = sweepPictures.map((picture) => ({
    picture,
    some: shown.filter(({ record }) => picture.points(record).length > 0),
  }));
  // Figures of one, latency, memory and sweeps stand in two columns; none is left beside a gap.
  const halves = (shown.length === 1 ? 3 : 2) + swept.filter(({ some }) => some.length > 0).length;
  const missing = [
    ...new Set(swept.filter(({ some }) => some.length === 0).map(({ picture }) => picture.stops)),
    ...(records.some(({ operators }) => operators) ? [] : ['Operators']),
  ];
  return (
    <div className={classes.cards}>
      <Summary shown={shown} name={name} />
      <LatencyCard shown={shown} samples={samples} name={name} />
      <MemoryCard shown={shown} name={name} isWide={halves % 2 === 1} />
      {swept.map(
        ({ picture, some }) =>
          some.length > 0 && (
            <SweepCard key={picture.key} picture={picture} shown={some} name={name} />
          ),
      )}
      <OperatorsCard shown={shown} name={name} />
      {missing.length > 0 && (
        <p className={classes.missing}>
          Not measured here: {missing.join(', ').toLowerCase()}. The set-up at the left asks for
          them.
        </p>
      )}
      <Circumstances shown={shown} samples={samples.data} />
    </div>
  );
}
