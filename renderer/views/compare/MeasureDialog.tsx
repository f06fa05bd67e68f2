import { Button, Modal, MultiSelect, SegmentedControl, Select } from '@mantine/core';
import { useState } from 'react';
import { modelKey } from '../../state/models.ts';
import {
  benchOfPlan,
  evaluationsOfPlan,
  fieldsOf,
  requestsOf,
  type MeasurePlan,
} from '../../state/measure.ts';
import { formatCount } from '../../ui/format.ts';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './MeasureDialog.module.css';
import { PlanFields } from './PlanFields.tsx';

/** Asks what to measure of which models, or of variants that recipes are yet to make. */
export function MeasureDialog() {
  const { compare } = useStudio();
  const measuring = usePart(compare.store, (state) => state.measuring);
  const close = (): void => compare.change({ measuring: null });
  return (
    <Modal opened={measuring !== null} onClose={close} title="Measure" size="lg">
      {measuring !== null && (
        <div className={classes.dialog}>
          <SegmentedControl
            aria-label="What to measure"
            value={measuring}
            data={[
              { value: 'models', label: 'Models that are there' },
              { value: 'sweep', label: 'Variants of recipes' },
            ]}
            onChange={(value) =>
              compare.change({ measuring: value === 'sweep' ? 'sweep' : 'models' })
            }
          />
          {measuring === 'models' ? <OfModels onDone={close} /> : <OfSweep onDone={close} />}
        </div>
      )}
    </Modal>
  );
}

function usePlan(): [MeasurePlan, (part: Partial<MeasurePlan>) => void] {
  const { compare } = useStudio();
  const plan = usePart(compare.store, (state) => state.plan);
  return [plan, (part) => compare.change({ plan: { ...plan, ...part } })];
}

function OfModels({ onDone }: { onDone: () => void }) {
  const { measurements, models } = useStudio();
  const known = usePart(models.store, (state) => state.models) ?? [];
  const [plan, change] = usePlan();
  const { evaluations, benches } = requestsOf(plan, known);
  const count = evaluations.length + benches.length;
  const [isAsking, setAsking] = useState(false);
  const start = async (): Promise<void> => {
    setAsking(true);
    if (evaluations.length > 0) await measurements.evaluate(evaluations);
    if (benches.length > 0) await measurements.bench(benches);
    setAsking(false);
    onDone();
  };
  return (
    <>
      <MultiSelect
        label="Models"
        placeholder={plan.models.length === 0 ? 'Choose models' : ''}
        value={[...plan.models]}
        data={known.map((model) => ({ value: modelKey(model), label: model.name }))}
        searchable
        renderPill={({ value, option, onRemove }) => (
          <RemovablePill value={option?.label ?? value} onRemove={onRemove} />
        )}
        onChange={(chosen) => change({ models: chosen })}
      />
      <PlanFields plan={plan} onChange={change} />
      <div className={classes.foot}>
        <span className={classes.note}>
          {count === 0
            ? 'Choose models, and metrics or speed.'
            : `${formatCount(count)} ${count === 1 ? 'job' : 'jobs'}; variants are compared with the model they were made from.`}
        </span>
        <Button
          disabled={count === 0 || isAsking || fieldsOf(plan.fields) === null}
          onClick={() => void start()}
        >
          Measure
        </Button>
      </div>
    </>
  );
}

function OfSweep({ onDone }: { onDone: () => void }) {
  const { measurements, models, recipe } = useStudio();
  const known = usePart(models.store, (state) => state.models) ?? [];
  const recipes = usePart(recipe.store, (state) => state.recipes);
  const usual = usePart(recipe.store, (state) => state.model);
  const [plan, change] = usePlan();
  const [model, setModel] = useState(usual);
  const [names, setNames] = useState<readonly string[]>([]);
  const [isAsking, setAsking] = useState(false);
  const chosen = recipes.flatMap((each) => (names.includes(each.recipe.name) ? each.recipe : []));
  const start = async (): Promise<void> => {
    if (model === null) return;
    setAsking(true);
    await measurements.sweep({
      model,
      recipes: chosen,
      evaluations: evaluationsOfPlan(plan),
      bench: plan.speed && benchOfPlan(plan.speed),
    });
    setAsking(false);
    onDone();
  };
  return (
    <>
      <Select
        label="Model"
        value={model}
        data={known.map((each) => ({ value: modelKey(each), label: each.name }))}
        searchable
        onChange={setModel}
      />
      <MultiSelect
        label="Recipes"
        description="Each makes a variant, which is measured as soon as it is there."
        placeholder={names.length === 0 ? 'Choose recipes' : ''}
        value={[...names]}
        data={recipes.map((each) => each.recipe.name)}
        searchable
        renderPill={({ value, onRemove }) => (
          <RemovablePill value={String(value)} onRemove={onRemove} />
        )}
        onChange={setNames}
      />
      <PlanFields plan={plan} onChange={change} />
      <div className={classes.foot}>
        <span className={classes.note}>
          {chosen.length === 0
            ? 'Choose recipes to make variants with.'
            : `${formatCount(chosen.length)} ${chosen.length === 1 ? 'variant' : 'variants'}, and the model itself to compare with.`}
        </span>
        <Button
          disabled={
            model === null || chosen.length === 0 || isAsking || fieldsOf(plan.fields) === null
          }
          onClick={() => void start()}
        >
          Make and measure
        </Button>
      </div>
    </>
  );
}
