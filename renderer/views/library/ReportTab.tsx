import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ModelRecord, PassReport, VariantReport } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { passTitles } from '../../state/passes.ts';
import { shortRecipe, writeRecipe } from '../../state/recipeText.ts';
import { formatBytes, formatDuration, formatWhen } from '../../ui/format.ts';
import { saveText } from '../../ui/save.ts';
import { Comparison } from '../compress/Comparison.tsx';
import { LayerChart } from '../compress/LayerChart.tsx';
import { fileName } from '../compress/layerRows.ts';
import { SensitivityChart } from '../compress/SensitivityChart.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';

/** How a variant was made, and what each pass did to the layers. */
export function ReportTab({ record }: { record: ModelRecord }) {
  const { models } = useStudio();
  const key = modelKey(record);
  const query = useQuery({ queryKey: ['report', key], queryFn: () => models.report(key) });
  return <Loaded query={query}>{(report) => <Report record={record} report={report} />}</Loaded>;
}

function Report({ record, report }: { record: ModelRecord; report: VariantReport }) {
  const studio = useStudio();
  const { parent, recipe, passes, seconds, madeAt, versions } = report;
  const take = (): void => {
    studio.recipe.choose(recipe);
    studio.compressModel(parent);
  };
  const save = (): void =>
    saveText(
      `${fileName(record.name)}-report.json`,
      'application/json',
      JSON.stringify(report, null, 2),
    );
  return (
    <>
      <div className={classes.block}>
        <Comparison
          variant={record}
          parent={parent}
          layers={passes.flatMap(({ layers }) => layers)}
        />
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>Made from</dt>
          <dd>{parent}</dd>
        </div>
        <div>
          <dt>Made</dt>
          <dd>
            {formatWhen(madeAt)}, in {formatDuration(seconds * 1000)}
          </dd>
        </div>
        <div>
          <dt>Versions</dt>
          <dd>
            {Object.entries(versions)
              .map(([tool, version]) => `${tool} ${version}`)
              .join(', ')}
          </dd>
        </div>
        <div className={classes.wide}>
          <dt>SHA-256 of the parent</dt>
          <dd className="mono">{report.parentSha256}</dd>
        </div>
      </dl>
      {passes.map((pass, index) => (
        <Pass
          // The same pass may stand there twice: its place is what tells it apart.
          // oxlint-disable-next-line react/no-array-index-key
          key={index}
          name={`${fileName(record.name)}-${index + 1}`}
          index={index}
          pass={pass}
          parent={parent}
        />
      ))}
      <div className={classes.block}>
        <h3>Recipe {recipe.name}</h3>
        <pre className={classes.code}>{writeRecipe(shortRecipe(recipe))}</pre>
        <div className={classes.buttons}>
          <Button size="xs" variant="default" onClick={take}>
            Take this recipe
          </Button>
          <Button size="xs" variant="default" onClick={save}>
            Save the report
          </Button>
        </div>
      </div>
    </>
  );
}

interface PassProps {
  /** Names the saved files. */
  name: string;
  index: number;
  pass: PassReport;
  parent: string;
}

function Pass({ name, index, pass, parent }: PassProps) {
  const { step, layers, notes, bytesBefore, bytes, seconds } = pass;
  return (
    <div className={classes.block}>
      <h3>
        {index + 1}. {passTitles[step.pass].title}: {formatBytes(bytesBefore)} →{' '}
        {formatBytes(bytes)}, {formatDuration(seconds * 1000)}
      </h3>
      {layers.length > 0 && (
        <>
          <LayerChart name={name} model={parent} layers={layers} />
          <SensitivityChart name={name} model={parent} step={step} layers={layers} />
        </>
      )}
      {notes.map((note) => (
        <p key={note} className={classes.passNote}>
          {note}
        </p>
      ))}
    </div>
  );
}
