import type { EventPublisher } from '@orpc/server';
import type { Device, EngineEvent, Settings } from '../../preload/contract/system.ts';
import type { Library } from '../library/library.ts';
import type { Manifest } from '../library/manifest.ts';
import type { ModelRef, Supervisor } from './runner/supervisor.ts';

/** What every procedure of the engine works with. */
export interface Core {
  readonly library: Library;
  readonly supervisor: Supervisor;
  readonly events: EventPublisher<{ event: EngineEvent }>;
  /** Folder of what ships with Lathe. */
  readonly resources: string;
  /** The settings as they stand, overridden by what this engine was started with. */
  settings(): Settings & { threads: number; device: Device; memoryLimitBytes: number };
  /** Tells every open window. */
  tell(event: EngineEvent): void;
}

export const refOf = ({ record }: Manifest): ModelRef => ({
  folder: record.folder,
  name: record.name,
});
