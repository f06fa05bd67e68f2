import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  settingsSchema,
  type EngineClient,
  type Settings,
  type SystemInfo,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';
import { readStored, type Memory } from './memory.ts';

export interface SettingsState {
  readonly settings: Settings;
  /** null until the engine has told. */
  readonly info: SystemInfo | null;
  readonly failure: Failure | null;
}

export interface SettingsStore {
  readonly store: StoreApi<SettingsState>;
  load(): Promise<void>;
  save(part: Partial<Settings>): Promise<void>;
}

/**
 * The engine's settings. The theme is remembered in the window as well, so that the first picture
 * is drawn in it before the engine has answered.
 */
export function createSettings(client: EngineClient, memory: Memory): SettingsStore {
  const remembered = settingsSchema.safeParse(readStored<Settings>(memory, 'settings'));
  const store = createStore<SettingsState>(() => ({
    settings: remembered.success ? remembered.data : settingsSchema.parse({}),
    info: null,
    failure: null,
  }));
  const take = (settings: Settings): void => {
    memory.write('settings', settings);
    store.setState({ settings, failure: null });
  };
  return {
    store,
    async load() {
      try {
        const [settings, info] = await Promise.all([
          client.system.settings(),
          client.system.info(),
        ]);
        take(settings);
        store.setState({ info });
      } catch (error) {
        store.setState({ failure: toFailure(error) });
      }
    },
    async save(part) {
      const before = store.getState().settings;
      // Shown at once; taken back if the engine refuses it.
      store.setState({ settings: { ...before, ...part } });
      try {
        take(await client.system.saveSettings(part));
      } catch (error) {
        store.setState({ settings: before, failure: toFailure(error) });
      }
    },
  };
}
