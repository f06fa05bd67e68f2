import { LatheError } from '../../../preload/contract/errors.ts';
import type { Job, JobEvent, JobLayer, JobState } from '../../../preload/contract/jobs.ts';
import type { PassReport } from '../../../preload/contract/recipe.ts';
import type { JobStore } from '../../library/jobs.ts';
import { createChannel, type Channel } from '../channel.ts';
import type { CompressTold } from '../runner/contract.ts';

/** What happens between two changes of state is written down at most this often, in milliseconds. */
const saveMs = 1000;

/** Watchers hear of progress at most this often, in milliseconds. */
const progressMs = 100;

export const isOpen = (state: JobState): boolean => state === 'queued' || state === 'running';

/** A job that this process has in its queue or runs: told to its watchers, written down as it goes. */
export class LiveJob {
  /** Aborted by `cancel`, and when the engine closes. */
  readonly stop = new AbortController();
  readonly ended: Promise<void>;
  #job: Job;
  readonly #store: JobStore;
  readonly #end: () => void;
  readonly #watchers = new Set<Channel<JobEvent>>();
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;

  constructor(job: Job, store: JobStore) {
    this.#job = job;
    this.#store = store;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  get job(): Job {
    return this.#job;
  }

  /** The job as it stands, then what changes, until it is over. */
  async *watch(signal?: AbortSignal): AsyncGenerator<JobEvent> {
    const channel = createChannel<JobEvent>();
    channel.push({ kind: 'job', job: this.#job });
    if (!isOpen(this.#job.state)) channel.end();
    const leave = (): void => channel.end();
    signal?.addEventListener('abort', leave, { once: true });
    this.#watchers.add(channel);
    try {
      yield* channel.read();
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#watchers.delete(channel);
    }
  }

  /** Another state; one that is not open ends the job. */
  change(changes: Partial<Job>): void {
    this.#job = { ...this.#job, ...changes };
    this.#save();
    this.#tell({ kind: 'job', job: this.#job });
    if (isOpen(this.#job.state)) return;
    for (const watcher of this.#watchers) watcher.end();
    this.#end();
  }

  log(text: string): void {
    const entry = { at: Date.now(), text };
    this.#job = { ...this.#job, log: [...this.#job.log, entry] };
    this.#saveLater();
    this.#tell({ kind: 'log', entry });
  }

  /** Takes what its runner tells. */
  hear(event: Exclude<CompressTold, { kind: 'done' }>): void {
    switch (event.kind) {
      case 'started': {
        const { passes } = event;
        // Layers of a pass that was not finished come again.
        this.change({ passes, layers: layersOf(passes) });
        if (passes.length > 0) this.log(`going on behind pass ${passes.length}`);
        return;
      }
      case 'progress': {
        const { kind: _, ...progress } = event;
        this.#job = { ...this.#job, progress };
        this.#saveLater();
        if (this.#telling) return;
        this.#telling = setTimeout(() => this.#tellProgress(), progressMs).unref();
        return;
      }
      case 'layer': {
        const { step, report } = event;
        this.#job = { ...this.#job, layers: [...this.#job.layers, { step, report }] };
        this.#saveLater();
        return this.#tell(event);
      }
      case 'pass': {
        const { step, report } = event;
        const passes = [...this.#job.passes, report];
        this.#job = { ...this.#job, passes, layers: layersOf(passes) };
        this.#save();
        this.#tell(event);
        const { seconds, bytesBefore, bytes, notes } = report;
        const size = `${megabytes(bytesBefore)} → ${megabytes(bytes)}`;
        this.log(`pass ${step + 1}, ${report.step.pass}: ${seconds.toFixed(1)} s, ${size}`);
        for (const note of notes) this.log(note);
      }
    }
  }

  #tellProgress(): void {
    this.#telling = undefined;
    const { progress, state } = this.#job;
    if (progress && isOpen(state)) this.#tell({ kind: 'progress', progress });
  }

  #tell(event: JobEvent): void {
    for (const watcher of this.#watchers) watcher.push(event);
  }

  #saveLater(): void {
    this.#timer ??= setTimeout(() => this.#save(), saveMs).unref();
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#store.save(this.#job);
    } catch (error) {
      // The job itself will say so; how far it came is written down when there is room again.
      if (!(error instanceof LatheError) || error.code !== 'disk_full') throw error;
      if (isOpen(this.#job.state)) this.#saveLater();
    }
  }
}

const layersOf = (passes: readonly PassReport[]): JobLayer[] =>
  passes.flatMap(({ layers }, step) => layers.map((report) => ({ step, report })));

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
