import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient, Preset } from '../../preload/contract/index.ts';
import { defaultSampling, type GenerationSettings } from './draft.ts';

export interface Presets {
  readonly store: StoreApi<{ readonly presets: readonly Preset[] }>;
  load(): Promise<void>;
  save(name: string, settings: GenerationSettings): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Named settings. */
export function createPresets(client: EngineClient): Presets {
  const store = createStore<{ readonly presets: readonly Preset[] }>(() => ({ presets: [] }));
  const load = async (): Promise<void> => store.setState({ presets: await client.presets.list() });
  return {
    store,
    load,
    async save(name, { sampling, maxTokens, stop }) {
      await client.presets.save({ name, sampling, maxTokens, stop: [...stop] });
      await load();
    },
    async remove(name) {
      await client.presets.remove({ name });
      await load();
    },
  };
}

/** A comparable picture of settings: key order and absent values make no difference. */
const fingerprint = ({ sampling, maxTokens, stop }: GenerationSettings): string =>
  JSON.stringify([
    Object.keys(defaultSampling)
      .toSorted()
      .map((key) => Object.entries(sampling).find(([name]) => name === key)?.[1]),
    maxTokens,
    stop,
  ]);

/** The preset that the settings are equal to, if any. */
export const presetOf = (
  presets: readonly Preset[],
  settings: GenerationSettings,
): Preset | undefined => presets.find((preset) => fingerprint(preset) === fingerprint(settings));
