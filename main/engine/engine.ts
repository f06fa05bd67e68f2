import { EventPublisher } from '@orpc/server';
import type { Device, EngineEvent } from '../../preload/contract/system.ts';
import { openLibrary } from '../library/library.ts';
import { resourcesPath } from '../library/resources.ts';
import type { Core } from './core.ts';
import { machineMemory, physicalCores } from './machine.ts';
import { createRouter, type EngineRouter } from './router.ts';
import type { StartRunner } from './runner/host.ts';
import { createJobs } from './jobs/jobs.ts';
import { defaultLimits, type Limits } from './runner/limits.ts';
import { createSupervisor } from './runner/supervisor.ts';

export interface EngineOptions {
  /** The library's folder; made when it is not there. */
  readonly home: string;
  readonly startRunner: StartRunner;
  /** Override the settings of the library. */
  readonly threads?: number | undefined;
  readonly device?: Device | undefined;
  /** Folder of what ships with Lathe; found by itself when left out. */
  readonly resources?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

/** The whole of Lathe behind the contract, without a shell. */
export interface Engine {
  readonly router: EngineRouter;
  /** Ends every runner and closes the library. */
  close(): Promise<void>;
}

/** A runner may use this share of the machine's memory unless the settings say otherwise. */
const memoryShare = 0.8;

const warn = (message: string): void => void process.stderr.write(`${message}\n`);

/** Opens the library and answers the contract. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const resources = options.resources ?? resourcesPath();
  const library = openLibrary({ root: options.home, resources, warn });
  const events = new EventPublisher<{ event: EngineEvent }>();
  const tell = (event: EngineEvent): void => events.publish('event', event);
  const settings = (): ReturnType<Core['settings']> => {
    const saved = library.settings.read();
    return {
      ...saved,
      threads: options.threads ?? saved.threads ?? physicalCores(),
      device: options.device ?? saved.device,
      memoryLimitBytes: saved.memoryLimitBytes ?? machineMemory() * memoryShare,
    };
  };
  const supervisor = createSupervisor({
    startRunner: options.startRunner,
    limits: options.limits,
    memoryLimit: () => settings().memoryLimitBytes,
    onState: (state) => tell({ kind: 'runner', state }),
  });
  const core: Core = { library, supervisor, events, resources, settings, tell };
  const workshop = {
    core,
    startRunner: options.startRunner,
    limits: { ...defaultLimits, ...options.limits },
  };
  const jobs = createJobs(workshop);
  return {
    router: createRouter(workshop, jobs),
    async close() {
      await jobs.close();
      await supervisor.close();
      library.close();
    },
  };
}
