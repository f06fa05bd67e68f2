/** What a runner may take before it is ended, in milliseconds unless said otherwise. */
export interface Limits {
  /** Silence while a model loads: reading and packing gigabytes of weights is one native call. */
  readonly loadingMs: number;
  /** Silence while it runs: a prefill chunk or a token on a slow machine. */
  readonly runningMs: number;
  /** Silence while it compresses: a job says that it lives whenever its thread is free. */
  readonly compressingMs: number;
  /** Likewise while it measures quality: a long text on a large model is one native call. */
  readonly evaluatingMs: number;
  /** Likewise while it measures speed: so is a prompt of many rows. */
  readonly measuringMs: number;
  /** From a cancel to the end of the job. */
  readonly cancelMs: number;
  /** Between two looks at the resident set. */
  readonly pollMs: number;
  /** So many crashes with one model ... */
  readonly crashes: number;
  /** ... within so long stop it from being started again. */
  readonly crashWindowMs: number;
  /** How many idle runners stay loaded beside the one that works. */
  readonly keep: number;
}

export const defaultLimits: Limits = {
  loadingMs: 30_000,
  runningMs: 30_000,
  compressingMs: 300_000,
  evaluatingMs: 300_000,
  measuringMs: 300_000,
  cancelMs: 1_000,
  pollMs: 250,
  crashes: 3,
  crashWindowMs: 300_000,
  keep: 1,
};
