import { Tabs } from '@mantine/core';
import type { ComponentType } from 'react';
import { inspectTabs, type InspectTab } from '../../state/inspect.ts';
import { Empty } from '../../ui/Empty.tsx';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { ModelSelect } from '../ModelSelect.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { AttentionTab } from './attention/AttentionTab.tsx';
import { AttributionTab } from './attribution/AttributionTab.tsx';
import { DifferenceTab } from './difference/DifferenceTab.tsx';
import classes from './Inspect.module.css';
import { InspectPrompt } from './InspectPrompt.tsx';
import { LensTab } from './lens/LensTab.tsx';
import { TokenizerTab } from './tokenizer/TokenizerTab.tsx';
import { WeightsTab } from './weights/WeightsTab.tsx';

const tabs: Readonly<Record<InspectTab, { title: string; Panel: ComponentType }>> = {
  attention: { title: 'Attention', Panel: AttentionTab },
  lens: { title: 'Lens', Panel: LensTab },
  attribution: { title: 'Attribution', Panel: AttributionTab },
  difference: { title: 'Difference', Panel: DifferenceTab },
  tokenizer: { title: 'Tokenizer', Panel: TokenizerTab },
  weights: { title: 'Weights', Panel: WeightsTab },
};

/** The tabs that are about the prompt above them. */
const prompted: ReadonlySet<InspectTab> = new Set([
  'attention',
  'lens',
  'attribution',
  'difference',
]);

/** Why a model does what it does: one prompt through one model, looked at from all sides. */
export function Inspect() {
  const { inspect, models } = useStudio();
  const model = usePart(inspect.store, (state) => state.model);
  const tab = usePart(inspect.store, (state) => state.tab);
  const isEmpty = usePart(models.store, (state) => state.models?.length === 0);
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      className={classes.view}
      onChange={(value) => {
        const next = inspectTabs.find((name) => name === value);
        if (next) inspect.setTab(next);
      }}
    >
      <ViewHead title="Inspect">
        <ModelSelect label="Model" value={model} onChange={(key) => inspect.setModel(key)} />
        <Tabs.List className={classes.tabs} aria-label="What to look at">
          {inspectTabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {tabs[name].title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </ViewHead>
      {isEmpty ? (
        <Empty action={<OpenFolder />}>
          Here a model shows what it computed for a prompt; open a model first.
        </Empty>
      ) : (
        <>
          {prompted.has(tab) && <InspectPrompt />}
          {inspectTabs.map((name) => {
            const { Panel } = tabs[name];
            return (
              <Tabs.Panel key={name} value={name} className={classes.panel}>
                <Panel />
              </Tabs.Panel>
            );
          })}
        </>
      )}
    </Tabs>
  );
}
