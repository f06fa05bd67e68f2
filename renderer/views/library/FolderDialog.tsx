import { Button, Modal, Progress, Radio, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatRemaining } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { FolderBrowser } from './FolderBrowser.tsx';
import classes from './FolderDialog.module.css';

type How = 'in-place' | 'copy';

/** Opens a model folder where it lies, or copies it into the library. */
export function FolderDialog() {
  const { navigation, models } = useStudio();
  const open = usePart(navigation.store, ({ dialog }) => dialog === 'folder');
  const close = (): void => {
    models.cancelImport();
    navigation.open(null);
  };
  return (
    <Modal opened={open} onClose={close} title="Open folder" size={640}>
      <FolderForm onDone={close} />
    </Modal>
  );
}

function FolderForm({ onDone }: { onDone: () => void }) {
  const { host, models, navigation } = useStudio();
  const importing = usePart(models.store, (state) => state.importing);
  const [path, setPath] = useState('');
  const [how, setHow] = useState<How>('in-place');
  const busy = importing.kind === 'importing';

  const submit = async (): Promise<void> => {
    const key = await (how === 'copy' ? models.importFolder(path) : models.openFolder(path));
    if (key === null) return;
    models.select(key);
    onDone();
    navigation.go('library');
  };
  const browse = async (): Promise<void> => {
    const chosen = await host.chooseFolder?.();
    if (chosen) setPath(chosen);
  };
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div className={classes.path}>
        <TextInput
          label="Folder"
          data-autofocus
          placeholder="A folder with config.json and *.safetensors"
          value={path}
          spellCheck={false}
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        {host.chooseFolder && (
          <Button variant="default" onClick={() => void browse()}>
            Browse…
          </Button>
        )}
      </div>
      <FolderBrowser path={path} onChoose={setPath} />
      <Radio.Group value={how} onChange={(next) => setHow(next === 'copy' ? 'copy' : 'in-place')}>
        <Stack gap={8}>
          <Radio
            size="xs"
            value="in-place"
            label="Open in place"
            description="Uses the files where they are"
          />
          <Radio
            size="xs"
            value="copy"
            label="Copy into the library"
            description="Keeps working when the folder goes away"
          />
        </Stack>
      </Radio.Group>
      {importing.kind === 'importing' && importing.progress && (
        <output className={classes.progress}>
          <span>
            {importing.progress.stage}
            {importing.progress.remainingMs !== undefined &&
              `, about ${formatRemaining(importing.progress.remainingMs)} left`}
          </span>
          <Progress
            aria-label="Import"
            size={4}
            value={(importing.progress.fraction ?? 1) * 100}
            animated={importing.progress.fraction === undefined}
          />
        </output>
      )}
      {importing.kind === 'failed' && <ErrorPanel failure={importing.failure} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" disabled={path.trim() === ''} loading={busy}>
          {how === 'copy' ? 'Copy' : 'Open'}
        </Button>
      </div>
    </form>
  );
}
