import type { SupportedMessagePort } from '@orpc/client/message-port';

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running runner, whatever started it: a child process of Node or a utility process of Electron. */
export interface RunnerProcess {
  readonly pid: number;
  /** Speaks `runnerContract` (contract.ts). */
  readonly port: SupportedMessagePort;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** Ends the process at once (SIGKILL); harmless when it has ended. */
  kill(): void;
}

/** Starts one more runner; resolves when its process exists. */
export type StartRunner = () => Promise<RunnerProcess>;
