import { MantineProvider, useMantineColorScheme } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Settings } from '../../../preload/contract/index.ts';
import type { Studio } from '../../state/studio.ts';
import { cssVariables, theme } from '../../ui/theme.ts';
import { Bench } from '../bench/Bench.tsx';
import { Compare } from '../compare/Compare.tsx';
import { Compress } from '../compress/Compress.tsx';
import { Inspect } from '../inspect/Inspect.tsx';
import { FolderDialog } from '../library/FolderDialog.tsx';
import { Library } from '../library/Library.tsx';
import { Playground } from '../playground/Playground.tsx';
import { SettingsView } from '../settings/SettingsView.tsx';
import { StudioContext, usePart, useStudio } from '../studioContext.ts';
import classes from './App.module.css';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { Palette } from './Palette.tsx';
import { Rail } from './Rail.tsx';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';
import { StatusBar } from './StatusBar.tsx';
import { useShortcuts } from './useShortcuts.ts';

/** The whole window. */
export function App({ studio }: { studio: Studio }) {
  const [queries] = useState(
    () =>
      new QueryClient({
        // Facts of a model change only when its files do; the engine says so by itself.
        defaultOptions: { queries: { staleTime: Infinity, retry: false, networkMode: 'always' } },
      }),
  );
  return (
    <StudioContext value={studio}>
      <QueryClientProvider client={queries}>
        <Themed />
      </QueryClientProvider>
    </StudioContext>
  );
}

function Themed() {
  const { settings } = useStudio();
  const first = settings.store.getState().settings.theme;
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme={schemeOf(first)}
      colorSchemeManager={unstored}
    >
      <FollowTheme />
      <Shell />
      <Notifications position="bottom-right" limit={3} className={classes.notices} />
    </MantineProvider>
  );
}

const schemeOf = (preference: Settings['theme']) => (preference === 'system' ? 'auto' : preference);

function FollowTheme() {
  const { settings } = useStudio();
  const preference = usePart(settings.store, (state) => state.settings.theme);
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => setColorScheme(schemeOf(preference)), [preference, setColorScheme]);
  return null;
}

/** The studio's own settings remember the theme; Mantine's store would be a second place for it. */
const unstored = {
  get: <Scheme,>(defaultValue: Scheme): Scheme => defaultValue,
  set: () => {},
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => {},
};

function Shell() {
  const { navigation } = useStudio();
  const view = usePart(navigation.store, (state) => state.view);
  useShortcuts();
  return (
    <div className={classes.shell}>
      <Rail />
      <div className={classes.main}>
        <ConnectionBanner />
        <main className={classes.view}>
          {view === 'library' && <Library />}
          {view === 'playground' && <Playground />}
          {view === 'inspect' && <Inspect />}
          {view === 'compress' && <Compress />}
          {view === 'compare' && <Compare />}
          {view === 'bench' && <Bench />}
          {view === 'settings' && <SettingsView />}
        </main>
      </div>
      <StatusBar />
      <FolderDialog />
      <ShortcutsDialog />
      <Palette />
    </div>
  );
}
