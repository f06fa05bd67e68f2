import {
  settingsSchema,
  type Settings,
  type SettingsChanges,
} from '../../preload/contract/system.ts';
import type { Database } from './database.ts';

export interface SettingsStore {
  read(): Settings;
  /** Changes what is given and keeps the rest. */
  save(changes: SettingsChanges): Settings;
}

export function settingsStore(database: Database): SettingsStore {
  const read = (): Settings => {
    const rows = database.all('SELECT name, value FROM settings');
    return settingsSchema.parse(
      Object.fromEntries(
        rows.map((row) => [String(row['name']), JSON.parse(String(row['value']))]),
      ),
    );
  };
  return {
    read,
    save(changes) {
      database.transaction(() => {
        for (const [name, value] of Object.entries(changes)) {
          database.run(
            'INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)',
            name,
            JSON.stringify(value),
          );
        }
      });
      return read();
    },
  };
}
