import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { EngineClient } from '../../preload/contract/index.ts';
import type { Device } from '../../preload/contract/system.ts';
import type { Engine } from '../engine/engine.ts';
import { forkNode } from '../engine/runner/forkNode.ts';
import type { RunnerProcess, StartRunner } from '../engine/runner/host.ts';
import { libraryFolder, UsageError, type Arguments } from './arguments.ts';

export interface OpenedEngine {
  /** The engine in this process; opened at the first call. */
  readonly engine: () => Promise<EngineClient>;
  /** The same, for serving it to others. */
  readonly whole: () => Promise<Engine>;
  close(): Promise<void>;
}

/**
 * The engine for one command. With `startsRunner` the first runner starts at once, while the
 * rest of the engine is still being loaded.
 */
export function openEngine(args: Arguments, startsRunner: boolean): OpenedEngine {
  const overrides = overridesOf(args);
  const runners = startEarly(forkNode(runnerEntry()), startsRunner);
  let opening: Promise<Engine> | undefined;

  const whole = (): Promise<Engine> => (opening ??= open());
  const open = async (): Promise<Engine> => {
    const { createEngine } = await import('../engine/engine.ts');
    const home = libraryFolder(args.text('home'));
    return createEngine({ home, startRunner: runners.start, ...overrides });
  };
  return {
    whole,
    async engine() {
      const { createRouterClient } = await import('@orpc/server');
      const { router } = await whole();
      return createRouterClient(router);
    },
    async close() {
      await runners.discard();
      const engine = await opening?.catch(() => undefined);
      await engine?.close();
    },
  };
}

/** The runner's main file: beside this one's folder in the sources, beside the bundle in a build. */
function runnerEntry(): URL {
  return import.meta.url.endsWith('.ts')
    ? new URL('../engine/runner/entry.ts', import.meta.url)
    : new URL('runner.js', pathToFileURL(realpathSync(process.argv[1])));
}

/** The first start is made ahead, when wanted, and handed to who asks first. */
function startEarly(
  start: StartRunner,
  early: boolean,
): { start: StartRunner; discard(): Promise<void> } {
  let ready: Promise<RunnerProcess> | undefined = early ? start() : undefined;
  // Who asks for it hears of a failure; nobody else needs to.
  ready?.catch(() => undefined);
  return {
    start() {
      const first = ready ?? start();
      ready = undefined;
      return first;
    },
    async discard() {
      const unused = await ready?.catch(() => undefined);
      unused?.kill();
    },
  };
}

const devices: readonly Device[] = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'];

function overridesOf(args: Arguments): { threads?: number; device?: Device } {
  const threads = args.number('threads');
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    throw new UsageError(`--threads must be a whole number from 1 to 256: ${threads}`);
  }
  const typed = args.text('device');
  const device = devices.find((known) => known === typed);
  if (typed !== undefined && device === undefined) {
    throw new UsageError(`--device must be one of ${devices.join(', ')}: ${typed}`);
  }
  return { ...(threads === undefined ? {} : { threads }), ...(device ? { device } : {}) };
}
