import { LatheError } from '../../preload/contract/errors.ts';
import type { Core } from './core.ts';
import type { StartRunner } from './runner/host.ts';
import type { Limits } from './runner/limits.ts';
import { watchMemory } from './runner/residentSet.ts';
import { watchRunner, type WatchedRunner } from './runner/watched.ts';

/** What long work takes that runs beside the models that are loaded. */
export interface Workshop {
  readonly core: Core;
  readonly startRunner: StartRunner;
  readonly limits: Limits;
}

/**
 * Work in a process of its own, held to the memory limit. When the signal is aborted the process
 * ends at once; when this resolves or rejects it has ended, so that its files can be deleted.
 */
export async function inOwnRunner<T>(
  { core, startRunner, limits }: Workshop,
  name: string,
  signal: AbortSignal,
  work: (runner: WatchedRunner) => Promise<T>,
): Promise<T> {
  const { memoryLimitBytes } = core.settings();
  const process = await startRunner();
  const runner = watchRunner(process, name, limits);
  const end = (): void => runner.end(new LatheError('cancelled', 'the work was stopped'));
  const forget = watchMemory(process.pid, {
    name,
    limit: () => memoryLimitBytes,
    pollMs: limits.pollMs,
    end: (reason) => runner.end(reason),
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) end();
    return await work(runner);
  } finally {
    signal.removeEventListener('abort', end);
    forget();
    end();
    await process.exited;
  }
}
