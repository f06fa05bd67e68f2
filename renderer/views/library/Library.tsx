import { Button } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { modelKey } from '../../state/models.ts';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { Details } from './Details.tsx';
import classes from './Library.module.css';
import { ModelTable } from './ModelTable.tsx';

/** What is there: the models at the left, the facts of one at the right. */
export function Library() {
  const { models, navigation } = useStudio();
  const { models: known, selected, failure } = usePart(models.store, (state) => state);
  const record = known?.find((model) => modelKey(model) === selected);
  const openFolder = (
    <Button
      variant="default"
      leftSection={<IconFolderOpen size={16} stroke={1.5} aria-hidden="true" />}
      onClick={() => navigation.open('folder')}
    >
      Open folder…
    </Button>
  );
  return (
    <div className={classes.view} data-empty={known?.length === 0 || undefined}>
      <header className={classes.header}>
        <h1>Library</h1>
        {openFolder}
      </header>
      <section aria-label="Models" className={classes.list}>
        {failure && (
          <ErrorPanel
            failure={failure}
            steps={[{ label: 'Read the library again', run: () => void models.load() }]}
          />
        )}
        {known && known.length > 0 && <ModelTable models={known} selected={selected} />}
        {known?.length === 0 && (
          <Empty action={openFolder}>
            A model is a folder with config.json, tokenizer.json and safetensors files; open one to
            try it.
          </Empty>
        )}
      </section>
      {record && <Details key={modelKey(record)} record={record} />}
      {!record && known && known.length > 0 && (
        <div className={classes.details}>
          <Empty>Choose a model to see what it is made of.</Empty>
        </div>
      )}
    </div>
  );
}
