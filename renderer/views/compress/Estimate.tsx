import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { CompressEstimate, Recipe } from '../../../preload/contract/index.ts';
import { isPassName, passTitles } from '../../state/passes.ts';
import { formatBytes, formatCount, formatDuration, formatSaving } from '../../ui/format.ts';
import { Loaded } from '../Loaded.tsx';
import { Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Plan.module.css';

/** Long enough that no estimate starts between two keys, short enough to feel at once. */
const restMs = 400;

/** What a dry run predicts; anew when model or recipe have rested. */
export function Estimate() {
  const { recipe } = useStudio();
  const model = usePart(recipe.store, (state) => state.model);
  const reading = usePart(recipe.store, (state) => state.reading);
  const [asked] = useDebouncedValue(reading.kind === 'right' ? reading.recipe : null, restMs);
  return (
    <section aria-label="Estimate" className={classes.section}>
      <div className={classes.heading}>
        <h2>Estimate</h2>
      </div>
      {reading.kind !== 'right' ? (
        <p className={classes.hint}>Complete the recipe to see what it will make of the model.</p>
      ) : (
        model !== null && asked && <Asked model={model} asked={asked} />
      )}
    </section>
  );
}

function Asked({ model, asked }: { model: string; asked: Recipe }) {
  const { recipe } = useStudio();
  const query = useQuery({
    queryKey: ['estimate', model, JSON.stringify({ ...asked, name: '', description: '' })],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => recipe.estimate(model, asked, signal),
  });
  return (
    <div className={classes.estimate} aria-busy={query.isFetching}>
      <Loaded query={query}>{(estimate) => <Predicted estimate={estimate} />}</Loaded>
    </div>
  );
}

function Predicted({ estimate }: { estimate: CompressEstimate }) {
  const { bytes, bytesBefore, peakBytes, seconds, steps, calibration } = estimate;
  const most = Math.max(bytes, bytesBefore);
  return (
    <>
      <dl className={classes.sizes}>
        {(
          [
            ['Now', bytesBefore, 'var(--lathe-bar)'],
            ['Then', bytes, 'var(--lathe-accent)'],
          ] as const
        ).map(([name, value, color]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span
                className={classes.size}
                style={{ width: `${(value / most) * 100}%`, background: color }}
              />
            </dd>
            <dd>
              {formatBytes(value)}
              {name === 'Then' && (
                <span className={classes.ratio}>{formatSaving(bytesBefore, bytes)}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <Table kind="figures" className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Pass</th>
            <th scope="col">Size after</th>
            <th scope="col">Peak memory</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step, index) => (
            // The same pass may stand there twice: its place is what tells it apart.
            // oxlint-disable-next-line react/no-array-index-key
            <tr key={index}>
              <td>
                {index + 1}. {isPassName(step.pass) ? passTitles[step.pass].title : step.pass}
              </td>
              <td>{formatBytes(step.bytes)}</td>
              <td>{formatBytes(step.peakBytes)}</td>
              <td>{formatDuration(step.seconds * 1000)}</td>
            </tr>
          ))}
        </tbody>
        {steps.length > 1 && (
          <tfoot>
            <tr>
              <td>All</td>
              <td>{formatBytes(bytes)}</td>
              <td>{formatBytes(peakBytes)}</td>
              <td>{formatDuration(seconds * 1000)}</td>
            </tr>
          </tfoot>
        )}
      </Table>
      {calibration && (
        <p className={classes.hint}>
          Calibration: {formatCount(calibration.sequences)} × {formatCount(calibration.length)} ={' '}
          {formatCount(calibration.tokens)} tokens of the {formatCount(calibration.available)} that
          the text has
          {calibration.tokens > calibration.available && '; pieces overlap'}.
        </p>
      )}
    </>
  );
}
