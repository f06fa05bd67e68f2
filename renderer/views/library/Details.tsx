import { ActionIcon, Button, Tabs, Tooltip } from '@mantine/core';
import {
  IconArrowsDiff,
  IconFileExport,
  IconPlayerPlay,
  IconStack2,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { ModelRecord } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { removeModel } from '../removeModel.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { ConfigTab } from './ConfigTab.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { GraphTab } from './GraphTab.tsx';
import classes from './Details.module.css';
import { OverviewTab } from './OverviewTab.tsx';
import { ReportTab } from './ReportTab.tsx';
import { TensorsTab } from './TensorsTab.tsx';
import { TokenizerTab } from './TokenizerTab.tsx';

/** All that is known of one model. */
export function Details({ record }: { record: ModelRecord }) {
  const studio = useStudio();
  const { models } = studio;
  const key = modelKey(record);
  const parent = usePart(models.store, (state) =>
    state.models?.find(({ name }) => name === record.parent),
  );
  const [exporting, setExporting] = useState(false);
  const removeLabel = record.source === 'folder' ? 'Close this folder' : 'Move to the trash';
  return (
    <section aria-label={`Details of ${record.name}`} className={classes.details}>
      <div className={classes.title}>
        <h2 title={record.name}>{record.name}</h2>
        <span className={classes.actions}>
          {record.source !== 'embedded' && (
            <Tooltip label={removeLabel}>
              <ActionIcon
                size="md"
                aria-label={removeLabel}
                onClick={() => void removeModel(models, record)}
              >
                <IconTrash size={16} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
          )}
          {parent && (
            <Tooltip label="Compare with its parent, token by token">
              <ActionIcon
                size="md"
                aria-label="Compare with its parent"
                onClick={() => studio.inspectPair(modelKey(parent), key)}
              >
                <IconArrowsDiff size={16} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
          )}
          <Button
            variant="default"
            leftSection={<IconFileExport size={16} stroke={1.5} aria-hidden="true" />}
            onClick={() => setExporting(true)}
          >
            Export…
          </Button>
          <Button
            variant="default"
            leftSection={<IconStack2 size={16} stroke={1.5} aria-hidden="true" />}
            onClick={() => studio.compressModel(key)}
          >
            Compress…
          </Button>
          <Button
            leftSection={<IconPlayerPlay size={16} stroke={1.5} aria-hidden="true" />}
            onClick={() => studio.tryModel(key)}
          >
            Open in playground
          </Button>
        </span>
      </div>
      <ExportDialog record={record} opened={exporting} onClose={() => setExporting(false)} />
      <Tabs defaultValue="overview" keepMounted={false} className={classes.tabs}>
        <Tabs.List px={8}>
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          {record.parent !== null && <Tabs.Tab value="report">Report</Tabs.Tab>}
          <Tabs.Tab value="tensors">Tensors</Tabs.Tab>
          <Tabs.Tab value="graph">Graph</Tabs.Tab>
          <Tabs.Tab value="tokenizer">Tokenizer</Tabs.Tab>
          <Tabs.Tab value="config">Config</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview" className={classes.tab}>
          <OverviewTab record={record} />
        </Tabs.Panel>
        {record.parent !== null && (
          <Tabs.Panel value="report" className={classes.tab}>
            <ReportTab record={record} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="tensors" className={classes.tableTab}>
          <TensorsTab model={key} name={record.name} />
        </Tabs.Panel>
        <Tabs.Panel value="graph" className={classes.tab}>
          <GraphTab model={key} />
        </Tabs.Panel>
        <Tabs.Panel value="tokenizer" className={classes.tab}>
          <TokenizerTab record={record} />
        </Tabs.Panel>
        <Tabs.Panel value="config" className={classes.tab}>
          <ConfigTab model={key} />
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}
