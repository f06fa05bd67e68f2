import type { ReactNode } from 'react';
import type { LayerReport, ModelRecord } from '../../../preload/contract/index.ts';
import { compare } from '../../state/job.ts';
import { modelKey } from '../../state/models.ts';
import { formatBytes, formatParameters, formatSaving, formatShare } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Comparison.module.css';

interface ComparisonProps {
  variant: ModelRecord;
  /** Name or key of the model it was made from. */
  parent: string;
  layers: readonly LayerReport[];
}

/** What a recipe made of a model; what was not measured is absent. */
export function Comparison({ variant, parent, layers }: ComparisonProps) {
  const { models } = useStudio();
  const before = usePart(models.store, (state) =>
    state.models?.find((record) => record.name === parent || modelKey(record) === parent),
  );
  const { bytes, bytesBefore, bits, bitsBefore, parameters, parametersBefore, error } = compare(
    variant,
    before,
    layers,
  );
  return (
    <dl className={classes.facts} aria-label="Compared with the parent">
      <Fact name="Size" before={bytesBefore === null ? null : formatBytes(bytesBefore)}>
        {formatBytes(bytes)}
        {bytesBefore !== null && (
          <span className={classes.good}>{formatSaving(bytesBefore, bytes)}</span>
        )}
      </Fact>
      <Fact name="Bits per weight" before={bitsBefore === null ? null : bitsBefore.toFixed(1)}>
        {bits.toFixed(2)}
      </Fact>
      {parametersBefore !== parameters && (
        <Fact
          name="Parameters"
          before={parametersBefore === null ? null : formatParameters(parametersBefore)}
        >
          {formatParameters(parameters)}
        </Fact>
      )}
      {error && (
        <Fact name={`Mean error of ${error.count} layers`} before={null}>
          {formatShare(error.mean)}
          <span className={classes.aside}>
            worst {error.worst.layer} {formatShare(error.worst.errorAfter ?? 0)}
          </span>
        </Fact>
      )}
    </dl>
  );
}

interface FactProps {
  name: string;
  before: string | null;
  children: ReactNode;
}

function Fact({ name, before, children }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {before !== null && (
          <>
            <span className={classes.before}>{before}</span>
            <span aria-label="became"> → </span>
          </>
        )}
        {children}
      </dd>
    </div>
  );
}
