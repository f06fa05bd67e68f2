import { modelKey } from '../../state/models.ts';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { Details } from './Details.tsx';
import details from './Details.module.css';
import classes from './Library.module.css';
import { ModelTable } from './ModelTable.tsx';

/** What is there: the models at the left, the facts of one at the right. */
export function Library() {
  const { models } = useStudio();
  const { models: known, selected, failure } = usePart(models.store, (state) => state);
  const record = known?.find((model) => modelKey(model) === selected);
  return (
    <div className={classes.view} data-empty={known?.length === 0 || undefined}>
      <ViewHead title="Library" action={<OpenFolder />} />
      <section aria-label="Models" className={classes.list}>
        {failure && (
          <ErrorPanel
            failure={failure}
            steps={[{ label: 'Read the library again', run: () => void models.load() }]}
          />
        )}
        {known && known.length > 0 && <ModelTable models={known} selected={selected} />}
        {known?.length === 0 && (
          <Empty action={<OpenFolder />}>
            A model is a folder with config.json, tokenizer.json and safetensors files; open one to
            try it.
          </Empty>
        )}
      </section>
      {record && <Details key={modelKey(record)} record={record} />}
      {!record && known && known.length > 0 && (
        <div className={details.details}>
          <Empty>Choose a model to see what it is made of.</Empty>
        </div>
      )}
    </div>
  );
}
