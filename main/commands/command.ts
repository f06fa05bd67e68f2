import type { EngineClient } from '../../preload/contract/index.ts';
import type { Engine } from '../engine/engine.ts';
import type { Arguments, Options } from './arguments.ts';

/** What a command gets besides its arguments. */
export interface Context {
  readonly args: Arguments;
  readonly json: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The engine, opened at the first call and closed when the command ends. */
  readonly engine: () => Promise<EngineClient>;
  /** The same engine, to be served to others. */
  readonly whole: () => Promise<Engine>;
}

/** What a shell expects of a command that Ctrl-C ended. */
export const interruptedCode = 130;

/** One command of the command line. */
export interface Command {
  /** One line for the overview. */
  readonly summary: string;
  /** What stands behind the name: `<model> --text T`. */
  readonly synopsis: string;
  readonly options: Options;
  /** Whether a runner will be needed: it then starts while the library opens. */
  readonly usesRunner: boolean;
  /** Checks what needs no engine, before anything is started. */
  check(args: Arguments): void;
  /** Gives the exit code; nothing is 0. */
  run(context: Context): Promise<number | void>;
}
