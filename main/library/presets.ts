import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import { presetSchema, samplingSchema, type Preset } from '../../preload/contract/generation.ts';
import type { Database } from './database.ts';

/** As `resources/presets.json` writes them: whatever has a default may be left out. */
const shippedSchema = z.array(
  z.object({
    name: z.string(),
    sampling: samplingSchema,
    maxTokens: z.number().int().min(1).default(256),
    stop: z.array(z.string()).default([]),
  }),
);

export interface PresetStore {
  /** Shipped ones first, then the user's by name. */
  list(): Preset[];
  save(preset: Omit<Preset, 'builtIn'>): Preset;
  remove(name: string): void;
}

export function presetStore(database: Database, resources: string): PresetStore {
  const shipped = (): Preset[] =>
    shippedSchema
      .parse(JSON.parse(readFileSync(join(resources, 'presets.json'), 'utf8')))
      .map((preset) => ({ ...preset, builtIn: true }));

  const refuseShipped = (name: string): void => {
    if (!shipped().some((preset) => preset.name === name)) return;
    throw new LatheError(
      'already_exists',
      `a preset that ships with Lathe cannot be changed: ${name}`,
      {
        value: name,
      },
    );
  };

  return {
    list: () => [
      ...shipped(),
      ...database
        .all('SELECT preset FROM presets ORDER BY name')
        .map((row) => presetSchema.parse(JSON.parse(String(row['preset'])))),
    ],
    save(preset) {
      refuseShipped(preset.name);
      const saved = { ...preset, builtIn: false };
      database.run(
        'INSERT OR REPLACE INTO presets (name, preset) VALUES (?, ?)',
        preset.name,
        JSON.stringify(saved),
      );
      return saved;
    },
    remove(name) {
      refuseShipped(name);
      if (database.run('DELETE FROM presets WHERE name = ?', name) === 0) {
        throw new LatheError('not_found', `no preset of this name: ${name}`, { value: name });
      }
    },
  };
}
