import { MultiSelect, NumberInput, SegmentedControl, Switch } from '@mantine/core';
import { useMemo } from 'react';
import {
  chosenModels,
  estimateOf,
  percentiles,
  problemsOf,
  runsFor,
  samplesOf,
  sweeps,
  type BenchSetup,
} from '../../state/benchSetup.ts';
import { visibleBenches } from '../../state/measurements.ts';
import { modelKey } from '../../state/models.ts';
import { formatCount, formatRemaining } from '../../ui/format.ts';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import { shortName } from '../modelNames.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Setup.module.css';
import { Stops } from './Stops.tsx';

/** The numbers of the main loop: name, bounds of the contract, what they mean. */
const numbers = [
  ['promptTokens', 'Prompt tokens', 1, 1_000_000],
  ['newTokens', 'New tokens', 2, 1_000_000],
  ['batch', 'Batch', 1, 64],
  ['runs', 'Runs', 1, 1000],
] as const;

/** What is measured next. */
export function SetupPane() {
  const { bench, models } = useStudio();
  const setup = usePart(bench.store, (state) => state.setup);
  const known = usePart(models.store, (state) => state.models) ?? [];
  const chosen = chosenModels(setup, known);
  const problems = problemsOf(setup, chosen);
  return (
    <section aria-label="Set-up" className={classes.pane}>
      <MultiSelect
        label="Models"
        aria-label="Models to measure"
        placeholder={setup.models.length === 0 ? 'Choose models' : ''}
        value={[...setup.models]}
        data={known.map((record) => ({ value: modelKey(record), label: record.name }))}
        searchable={known.length > 8}
        nothingFoundMessage="No model has this name"
        error={problems.models}
        renderPill={({ value, onRemove }) => (
          <RemovablePill value={shortName(String(value))} onRemove={onRemove} />
        )}
        onChange={(next) => bench.change({ models: next })}
      />
      <div className={classes.numbers}>
        {numbers.map(([key, label, least, most]) => (
          <NumberInput
            key={key}
            label={label}
            value={setup[key]}
            min={least}
            max={most}
            allowDecimal={false}
            allowNegative={false}
            clampBehavior="blur"
            onChange={(next) => {
              if (typeof next === 'number' && next >= least && next <= most)
                bench.change({ [key]: next });
            }}
          />
        ))}
      </div>
      {problems.promptTokens !== undefined && (
        <p role="alert" className={classes.wrong}>
          {problems.promptTokens}
        </p>
      )}
      <Samples setup={setup} />
      <h2>Sweeps</h2>
      {sweeps.map((sweep) => (
        <Stops key={sweep} sweep={sweep} setup={setup} chosen={chosen} error={problems[sweep]} />
      ))}
      <h2>Besides</h2>
      <Switch
        label="Load, cold and warm"
        description="Drops the files from the page cache where that is allowed."
        checked={setup.load}
        onChange={(event) => bench.change({ load: event.currentTarget.checked })}
      />
      <Switch
        label="Time every operator"
        description="Runs once more with the profiler of onnxruntime."
        checked={setup.profile}
        onChange={(event) => bench.change({ profile: event.currentTarget.checked })}
      />
      <div className={classes.form}>
        <span>Graph</span>
        <SegmentedControl
          aria-label="Form of the graph"
          value={setup.form}
          data={[
            { value: 'fused', label: 'Fused' },
            { value: 'plain', label: 'Plain' },
          ]}
          onChange={(form) => bench.change({ form: form === 'plain' ? 'plain' : 'fused' })}
        />
      </div>
      <Estimate setup={setup} />
    </section>
  );
}

/** Which percentiles the set-up reaches, and what the next one takes. */
function Samples({ setup }: { setup: BenchSetup }) {
  const count = samplesOf(setup);
  const reached = percentiles.findLast(({ samples }) => samples <= count);
  const next = percentiles.find(({ samples }) => samples > count);
  const few = percentiles.filter(({ samples }) => samples >= 1000);
  const reaching = few
    .map(
      ({ name, samples }) =>
        `${name} from ${formatCount(samples)}: ${formatCount(runsFor(samples, setup))} runs of ${formatCount(setup.newTokens)}`,
    )
    .join('; ');
  return (
    <p className={classes.hint}>
      {formatCount(setup.runs)} × {formatCount(setup.newTokens)} = {formatCount(count)} inter-token
      latencies, enough for {reached?.name ?? 'none'}.{next && ` ${reaching}.`}
    </p>
  );
}

function Estimate({ setup }: { setup: BenchSetup }) {
  const { models, measurements } = useStudio();
  const known = usePart(models.store, (state) => state.models);
  const measured = usePart(measurements.store, (state) => state);
  const estimate = useMemo(
    () => estimateOf(setup, chosenModels(setup, known ?? []), visibleBenches(measured)),
    [setup, known, measured],
  );
  if (estimate.ms === 0) return null;
  return (
    <p className={classes.estimate}>
      Takes about {formatRemaining(estimate.ms)}
      {!estimate.isMeasured && ', guessed from the size: not all of this was measured before'}.
    </p>
  );
}
