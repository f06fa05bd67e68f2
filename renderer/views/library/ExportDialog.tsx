import { Button, Modal, Progress, Radio, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type {
  ExportFormat,
  ExportResult,
  ModelRecord,
  Progress as ProgressEvent,
} from '../../../preload/contract/index.ts';
import { exportFormats, inFolder } from '../../state/exports.ts';
import { modelKey } from '../../state/models.ts';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatBytes, formatRemaining } from '../../ui/format.ts';
import { shortName } from '../modelNames.ts';
import { Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { FolderBrowser } from './FolderBrowser.tsx';
import classes from './FolderDialog.module.css';

interface ExportDialogProps {
  record: ModelRecord;
  opened: boolean;
  onClose: () => void;
}

/** Writes a model into a folder that runs elsewhere. */
export function ExportDialog({ record, opened, onClose }: ExportDialogProps) {
  const { exports } = useStudio();
  const state = usePart(exports.store, (all) => all);
  const close = (): void => {
    exports.cancel();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={`Export ${record.name}`} size={640}>
      {state.kind === 'done' ? (
        <Exported result={state.result} onDone={close} />
      ) : (
        <ExportForm record={record} onDone={close} />
      )}
    </Modal>
  );
}

function ExportForm({ record, onDone }: { record: ModelRecord; onDone: () => void }) {
  const { exports, host, models } = useStudio();
  const state = usePart(exports.store, (all) => all);
  const home = useQuery({ queryKey: ['folders', ''], queryFn: () => models.folders(null) });
  const [format, setFormat] = useState<ExportFormat>('transformers-js');
  const [chosen, setChosen] = useState<string | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const parent = chosen ?? home.data?.path ?? '';
  const name = typed ?? `${shortName(record.name).replaceAll('/', '-')}-${format}`;
  const folder = inFolder(parent.trim(), name.trim());
  const browse = async (): Promise<void> => {
    const found = await host.chooseFolder?.();
    if (found) setChosen(found);
  };
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        void exports.start({ model: modelKey(record), format, folder });
      }}
    >
      <Radio.Group label="Format" value={format} onChange={(next) => setFormat(formatOf(next))}>
        <Stack gap={8} mt={8}>
          {exportFormats.map((one) => (
            <Radio
              key={one.format}
              size="xs"
              value={one.format}
              label={one.name}
              description={one.purpose}
            />
          ))}
        </Stack>
      </Radio.Group>
      <div className={classes.path}>
        <TextInput
          label="In the folder"
          value={parent}
          spellCheck={false}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        {host.chooseFolder && (
          <Button variant="default" onClick={() => void browse()}>
            Browse…
          </Button>
        )}
      </div>
      <FolderBrowser path={parent} onChoose={setChosen} />
      <TextInput
        label="Name of the new folder"
        value={name}
        spellCheck={false}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {state.kind === 'exporting' && <ExportProgress progress={state.progress} />}
      {state.kind === 'failed' && <ErrorPanel failure={state.failure} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button
          type="submit"
          disabled={parent.trim() === '' || name.trim() === ''}
          loading={state.kind === 'exporting'}
        >
          Export
        </Button>
      </div>
    </form>
  );
}

const formatOf = (value: string): ExportFormat =>
  exportFormats.find(({ format }) => format === value)?.format ?? 'transformers-js';

function ExportProgress({ progress }: { progress: ProgressEvent | null }) {
  if (progress === null) return null;
  const { stage, remainingMs, fraction } = progress;
  return (
    <output className={classes.progress}>
      <span>
        {stage}
        {remainingMs !== undefined && `, about ${formatRemaining(remainingMs)} left`}
      </span>
      <Progress
        aria-label="Export"
        size={4}
        value={(fraction ?? 1) * 100}
        animated={fraction === undefined}
      />
    </output>
  );
}

function Exported({ result, onDone }: { result: ExportResult; onDone: () => void }) {
  const { host } = useStudio();
  return (
    <div className={classes.form}>
      <output className="mono">{result.folder}</output>
      <Table kind="figures" aria-label="Exported files">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col" data-number>
              Size
            </th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {result.files.map(({ path, bytes, sha256 }) => (
            <tr key={path}>
              <td>{path}</td>
              <td data-number>{formatBytes(bytes)}</td>
              <td className="mono" title={sha256}>
                {sha256.slice(0, 12)}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <div className={classes.buttons}>
        <Button variant="default" onClick={() => void host.copy(result.folder)}>
          Copy path
        </Button>
        <Button onClick={onDone}>Close</Button>
      </div>
    </div>
  );
}
