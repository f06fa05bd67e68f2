import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of one library lies. */
export interface Home {
  readonly root: string;
  /** One folder per imported model. */
  readonly models: string;
  /** A folder per model that variants were made from, and in it one per variant. */
  readonly variants: string;
  /** What unfinished jobs have made so far, one folder each. */
  readonly jobs: string;
  /** Built graphs; may be deleted at any time. */
  readonly graphs: string;
  /** Compiled code of Lathe itself; may be deleted at any time. */
  readonly code: string;
  readonly trash: string;
  readonly database: string;
}

/**
 * The library's folder: what was asked for, else `LATHE_HOME`, else the platform's place for
 * application data.
 */
export function homePath(asked?: string, environment: NodeJS.ProcessEnv = process.env): string {
  // An empty variable counts as none.
  const chosen = asked || environment['LATHE_HOME'];
  if (chosen) return resolve(chosen);
  switch (process.platform) {
    case 'win32':
      return join(environment['APPDATA'] || join(homedir(), 'AppData', 'Roaming'), 'Lathe');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'Lathe');
    default:
      return join(environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'lathe');
  }
}

/** Names the folders of a library and makes those that are missing. */
export function openHome(root: string): Home {
  const home = {
    root,
    models: join(root, 'models'),
    variants: join(root, 'variants'),
    jobs: join(root, 'jobs'),
    graphs: join(root, 'cache', 'graphs'),
    code: join(root, 'cache', 'code'),
    trash: join(root, 'trash'),
    database: join(root, 'library.sqlite'),
  };
  for (const folder of [home.models, home.variants, home.jobs, home.graphs, home.trash])
    mkdirSync(folder, { recursive: true });
  return home;
}
