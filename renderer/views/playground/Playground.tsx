import { Splitter } from '@mantine/core';
import { usePart, useStudio } from '../studioContext.ts';
import { Header } from './Header.tsx';
import { HistoryPanel } from './HistoryPanel.tsx';
import { OutputPane } from './OutputPane.tsx';
import classes from './Playground.module.css';
import { PromptPane } from './PromptPane.tsx';
import { RunBar } from './RunBar.tsx';
import { SettingsPanel } from './SettingsPanel.tsx';

/** Try one model: prompt above, tokens below, history and settings at the sides. */
export function Playground() {
  const { navigation } = useStudio();
  const historyOpen = usePart(navigation.store, (state) => state.historyOpen);
  return (
    <div className={classes.view} data-history={historyOpen || undefined}>
      <Header />
      {historyOpen && <HistoryPanel />}
      <Splitter orientation="vertical" lineSize={1} withHandle={false} className={classes.center}>
        <Splitter.Pane defaultSize={36} min={16} className={classes.pane}>
          <PromptPane />
        </Splitter.Pane>
        <Splitter.Pane defaultSize={64} min={24} className={classes.pane}>
          <RunBar />
          <OutputPane />
        </Splitter.Pane>
      </Splitter>
      <SettingsPanel />
    </div>
  );
}
