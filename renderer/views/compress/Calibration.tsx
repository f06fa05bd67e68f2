import { Autocomplete, NumberInput } from '@mantine/core';
import { needsCalibration, recipeSchema } from '../../../preload/contract/index.ts';
import { calibrationOptions, labelOf, sameValue } from '../../state/passOptions.ts';
import { setCalibration } from '../../state/recipeEdits.ts';
import { isObject, issuesAt, type Issue, type RecipeDraft } from '../../state/recipeText.ts';
import { formatCount } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Recipe.module.css';

/** Texts that ship with Lathe. */
const builtIn = ['stories'];

interface CalibrationProps {
  draft: RecipeDraft;
  issues: readonly Issue[];
}

/** The text that calibrated passes look at, and how much of it. */
export function Calibration({ draft, issues }: CalibrationProps) {
  const { recipe } = useStudio();
  const isUsed = usePart(
    recipe.store,
    ({ reading }) => reading.kind !== 'right' || reading.recipe.passes.some(needsCalibration),
  );
  const written = isObject(draft.calibration) ? draft.calibration : {};
  const standard = recipeSchema.shape.calibration.parse(undefined);
  const change = (key: string, value: unknown): void => {
    const known = calibrationOptions().find((option) => option.key === key);
    recipe.edit(setCalibration(key, sameValue(value, known?.standard) ? undefined : value));
  };
  const valueOf = (key: string, otherwise: number): number =>
    typeof written[key] === 'number' ? written[key] : otherwise;
  const sequences = valueOf('sequences', standard.sequences);
  const length = valueOf('length', standard.length);
  const [data, ...numbers] = calibrationOptions();
  return (
    <div className={classes.calibration}>
      <h2>Calibration text</h2>
      <p className={classes.hint}>
        {isUsed
          ? `${formatCount(sequences)} × ${formatCount(length)} = ${formatCount(sequences * length)} tokens go through the model.`
          : 'No pass of this recipe looks at text.'}
      </p>
      <Autocomplete
        label="Text"
        description="A set that ships with Lathe, or the path of a UTF-8 file"
        value={typeof written['data'] === 'string' ? written['data'] : String(data?.standard)}
        data={builtIn}
        error={issuesAt(issues, 'calibration', 'data')[0]}
        onChange={(next) => change('data', next)}
      />
      <div className={classes.numbers}>
        {numbers.map(({ key, standard: usual, input }) => (
          <NumberInput
            key={key}
            label={labelOf(key)}
            value={valueOf(key, Number(usual))}
            allowDecimal={false}
            hideControls
            error={issuesAt(issues, 'calibration', key)[0]}
            onChange={(next) => {
              if (input.kind !== 'number' || typeof next !== 'number') return;
              if (next >= input.least && next <= input.most) change(key, next);
            }}
          />
        ))}
      </div>
    </div>
  );
}
