import { ActionIcon, Button, Progress, Select, Tabs, Tooltip } from '@mantine/core';
import {
  IconArrowsDiff,
  IconBooks,
  IconPencil,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { CompressJob, CompressSummary } from '../../../preload/contract/index.ts';
import { isActive, layersOf, stepsWithLayers } from '../../state/job.ts';
import { modelKey } from '../../state/models.ts';
import { passTitles } from '../../state/passes.ts';
import type { Studio } from '../../state/studio.ts';
import { Dot } from '../../ui/Dot.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { offerUndo } from '../../ui/notify.tsx';
import { useStudio } from '../studioContext.ts';
import { Comparison } from './Comparison.tsx';
import { JobLog } from './JobLog.tsx';
import classes from './Jobs.module.css';
import { doing, jobStates } from './jobWords.ts';
import { LayerChart } from './LayerChart.tsx';
import { fileName } from './layerRows.ts';
import { LayerTable } from './LayerTable.tsx';
import { SensitivityChart } from './SensitivityChart.tsx';

interface JobDetailProps {
  summary: CompressSummary;
  /** Unknown until the engine has told it. */
  job: CompressJob | undefined;
}

/** One job: what it does, what it did, and what can be done with it. */
export function JobDetail({ summary, job }: JobDetailProps) {
  const { text, dot } = jobStates[summary.state];
  return (
    <section aria-label={`Job ${summary.name}`} className={classes.detail}>
      <div className={classes.top}>
        <h3 title={summary.name}>{summary.name}</h3>
        <span className={classes.state}>
          <Dot kind={dot} />
          {text}
        </span>
        <span className={classes.doing}>{doing(summary)}</span>
        <Actions summary={summary} />
      </div>
      {summary.state === 'running' && (
        <Progress
          size={2}
          radius={0}
          value={(summary.progress?.fraction ?? 0) * 100}
          aria-label={`Progress of the job ${summary.name}`}
        />
      )}
      <div className={classes.inside}>
        <Trouble summary={summary} />
        {summary.result && job && (
          <Comparison
            variant={summary.result}
            parent={summary.model}
            layers={job.layers.map(({ report }) => report)}
          />
        )}
        {job && <Reports job={job} />}
      </div>
    </section>
  );
}

/** Puts the recipe of a job into the form, to be changed and run anew. */
function takeRecipe(studio: Studio, { name, model, recipe }: CompressSummary): void {
  const undo = studio.takeRecipe(model, recipe);
  offerUndo({ message: `The recipe of ${name} is in the form`, undo });
}

function Actions({ summary }: { summary: CompressSummary }) {
  const studio = useStudio();
  const { jobs } = studio;
  const { id, name, state, result } = summary;
  const remove = (): void => {
    jobs.remove(id);
    offerUndo({
      message: `Job ${name} removed`,
      undo: () => jobs.undo(id),
      settle: () => void jobs.settle(id),
    });
  };
  return (
    <span className={classes.actions}>
      {isActive(summary) && (
        <Button size="xs" variant="default" onClick={() => void jobs.cancel(id)}>
          Cancel
        </Button>
      )}
      {state === 'interrupted' && (
        <Button size="xs" onClick={() => void jobs.resume(id)}>
          Resume
        </Button>
      )}
      {result && (
        <>
          <Button
            size="xs"
            leftSection={<IconPlayerPlay size={14} stroke={1.5} aria-hidden="true" />}
            onClick={() => studio.tryModel(modelKey(result))}
          >
            Open in playground
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconBooks size={14} stroke={1.5} aria-hidden="true" />}
            onClick={() => studio.showModel(modelKey(result))}
          >
            Show in library
          </Button>
          <Tooltip label="Compare with its parent, token by token">
            <ActionIcon
              aria-label="Compare with its parent"
              onClick={() => studio.inspectPair(summary.model, modelKey(result))}
            >
              <IconArrowsDiff size={14} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        </>
      )}
      <Tooltip label="Take this recipe into the form">
        <ActionIcon
          aria-label="Take this recipe into the form"
          onClick={() => takeRecipe(studio, summary)}
        >
          <IconPencil size={14} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      {!isActive(summary) && (
        <Tooltip label="Remove from the list; a variant stays">
          <ActionIcon aria-label={`Remove the job ${name}`} onClick={remove}>
            <IconTrash size={14} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      )}
    </span>
  );
}

/** Why a job has not come to its end, and what becomes of it. */
function Trouble({ summary }: { summary: CompressSummary }) {
  const studio = useStudio();
  const { state, error } = summary;
  switch (state) {
    case 'failed':
      return (
        error && (
          <ErrorPanel
            failure={error}
            steps={[
              { label: 'Change the recipe', run: () => takeRecipe(studio, summary) },
              {
                label: 'Run it again',
                run: () => void studio.jobs.start(summary.model, [summary.recipe]),
              },
            ]}
          />
        )
      );
    case 'interrupted':
      return (
        <p className={classes.interrupted}>
          {error ? `${error.message}. ` : 'The engine stopped while this ran. '}
          What was finished is kept: Resume goes on behind the last finished pass.
        </p>
      );
    case 'cancelled':
      return (
        <p className={classes.note}>Cancelled. No variant was made and nothing was left behind.</p>
      );
    default:
      return null;
  }
}

function Reports({ job }: { job: CompressJob }) {
  const steps = stepsWithLayers(job);
  const [asked, setAsked] = useState<number | null>(null);
  const step = asked !== null && steps.includes(asked) ? asked : (steps.at(-1) ?? null);
  const layers = step === null ? [] : layersOf(job, step);
  const notes = step === null ? [] : (job.passes[step]?.notes ?? []);
  return (
    <Tabs defaultValue="chart" keepMounted={false} className={classes.tabs}>
      <div className={classes.tabBar}>
        <Tabs.List>
          <Tabs.Tab value="chart">Layers</Tabs.Tab>
          <Tabs.Tab value="table">Table</Tabs.Tab>
          <Tabs.Tab value="log">Log</Tabs.Tab>
        </Tabs.List>
        {steps.length > 1 && step !== null && (
          <Select
            aria-label="Pass whose layers are shown"
            size="xs"
            className={classes.pass}
            value={String(step)}
            data={steps.map((each) => ({
              value: String(each),
              label: `${each + 1}. ${titleOf(job, each)}`,
            }))}
            onChange={(next) => setAsked(Number(next))}
          />
        )}
      </div>
      <Tabs.Panel value="chart" className={classes.tab}>
        {layers.length > 0 ? (
          <>
            <LayerChart name={fileName(job.name)} model={job.model} layers={layers} />
            <SensitivityChart
              name={fileName(job.name)}
              model={job.model}
              step={step === null ? undefined : job.recipe.passes[step]}
              layers={layers}
            />
          </>
        ) : (
          <p className={classes.note}>
            {isActive(job)
              ? 'Every layer appears here as soon as it is done.'
              : 'No pass of this job reported layers.'}
          </p>
        )}
        {notes.map((note) => (
          <p key={note} className={classes.note}>
            {note}
          </p>
        ))}
      </Tabs.Panel>
      <Tabs.Panel value="table" className={classes.tab}>
        <LayerTable name={job.name} layers={layers} />
      </Tabs.Panel>
      <Tabs.Panel value="log" className={classes.tab}>
        <JobLog name={job.name} log={job.log} />
      </Tabs.Panel>
    </Tabs>
  );
}

function titleOf({ recipe }: CompressJob, step: number): string {
  const pass = recipe.passes[step];
  return pass ? passTitles[pass.pass].title : '';
}
