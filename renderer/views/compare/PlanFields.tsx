import { Checkbox, MultiSelect, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import {
  metricNames,
  metrics,
  type DataKind,
  type Metric,
} from '../../../preload/contract/index.ts';
import {
  fieldsOf,
  kindsOf,
  percentiles,
  runsFor,
  shippedData,
  type MeasurePlan,
  type Percentile,
  type SpeedPlan,
} from '../../state/measure.ts';
import { metricWords } from '../../state/quantities.ts';
import { formatCount } from '../../ui/format.ts';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import classes from './MeasureDialog.module.css';

interface PlanFieldsProps {
  plan: MeasurePlan;
  onChange: (part: Partial<MeasurePlan>) => void;
}

const kindTitles: Readonly<Record<DataKind, string>> = {
  documents: 'Texts',
  choices: 'Questions with choices',
  pairs: 'Sentence pairs',
  continuations: 'Prompts with a continuation',
};

const metricGroups = [...Map.groupBy(metricNames, (metric) => metrics[metric].reads)].map(
  ([kind, members]) => ({
    group: kindTitles[kind],
    items: members.map((metric) => ({ value: metric, label: metricWords[metric].title })),
  }),
);

const percentileTitles: Readonly<Record<Percentile, string>> = {
  p50: 'P50 (5 runs)',
  p99: 'P99 (1,000 samples)',
  p999: 'P99.9 (10,000 samples)',
};

const isMetric = (name: string): name is Metric => Object.hasOwn(metrics, name);

/** What to measure and on what, whichever the models. */
export function PlanFields({ plan, onChange }: PlanFieldsProps) {
  const { speed, data } = plan;
  const changeSpeed = (part: Partial<SpeedPlan>): void => {
    if (speed) onChange({ speed: { ...speed, ...part } });
  };
  return (
    <>
      <MultiSelect
        label="Quality"
        placeholder={plan.metrics.length === 0 ? 'Choose metrics' : ''}
        value={[...plan.metrics]}
        data={metricGroups}
        searchable
        renderPill={({ value, option, onRemove }) => (
          <RemovablePill value={option?.label ?? value} onRemove={onRemove} />
        )}
        onChange={(names) => onChange({ metrics: names.filter(isMetric) })}
      />
      {kindsOf(plan.metrics).map((kind) => (
        <TextInput
          key={kind}
          label={kindTitles[kind]}
          description={`“${shippedData[kind]}” comes with Lathe; or the path of a .txt, .json, .jsonl or .tsv file.`}
          value={data[kind]}
          error={data[kind].trim() === '' ? 'Name a data set' : null}
          onChange={(event) =>
            onChange({ data: { ...data, [kind]: event.currentTarget.value.trim() } })
          }
        />
      ))}
      {kindsOf(plan.metrics).some((kind) => data[kind] !== shippedData[kind]) && (
        <TextInput
          label="Names of fields, where they differ"
          description="Separated by commas, as the metric calls it = as the file does."
          placeholder="text=story"
          value={plan.fields}
          error={fieldsOf(plan.fields) === null ? 'Write pairs like text=story' : null}
          onChange={(event) => onChange({ fields: event.currentTarget.value })}
        />
      )}
      {plan.metrics.length > 0 && (
        <div className={classes.row}>
          <NumberInput
            label="Only the first"
            placeholder="all items"
            min={1}
            allowDecimal={false}
            hideControls
            value={plan.limit ?? ''}
            onChange={(value) => onChange({ limit: value === '' ? null : Number(value) || null })}
          />
          <Checkbox
            size="xs"
            className={classes.again}
            label="Measure again what was measured before"
            checked={plan.again}
            onChange={(event) => onChange({ again: event.currentTarget.checked })}
          />
        </div>
      )}
      <Switch
        label="Speed, memory and energy"
        checked={speed !== null}
        onChange={(event) =>
          onChange({
            speed: event.currentTarget.checked
              ? { promptTokens: 128, newTokens: 64, percentile: 'p99' }
              : null,
          })
        }
      />
      {speed && (
        <div className={classes.row}>
          <NumberInput
            label="Prompt tokens"
            min={1}
            allowDecimal={false}
            hideControls
            value={speed.promptTokens}
            onChange={(value) => Number(value) >= 1 && changeSpeed({ promptTokens: Number(value) })}
          />
          <NumberInput
            label="New tokens"
            min={2}
            allowDecimal={false}
            hideControls
            value={speed.newTokens}
            onChange={(value) => Number(value) >= 2 && changeSpeed({ newTokens: Number(value) })}
          />
          <Select
            label={`Rarest percentile, ${formatCount(runsFor(speed))} runs`}
            value={speed.percentile}
            data={percentiles.map((value) => ({ value, label: percentileTitles[value] }))}
            onChange={(value) => {
              const percentile = percentiles.find((each) => each === value);
              if (percentile) changeSpeed({ percentile });
            }}
          />
        </div>
      )}
    </>
  );
}
