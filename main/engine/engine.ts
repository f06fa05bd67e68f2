import type { Router } from '@orpc/server';
import type { contract, Device } from '../../preload/contract/index.ts';
import type { StartRunner } from './runner/host.ts';

export interface EngineOptions {
  /** The library's folder; made when it is not there. */
  readonly home: string;
  readonly startRunner: StartRunner;
  /** Override the settings of the library. */
  readonly threads?: number;
  readonly device?: Device;
}

/** The whole of Lathe behind the contract, without a shell. */
export interface Engine {
  readonly router: Router<typeof contract, Record<never, never>>;
  /** Ends every runner and closes the library. */
  close(): Promise<void>;
}

/** Opens the library and answers the contract. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  throw new Error(`not written yet: ${options.home}`);
}
