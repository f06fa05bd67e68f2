import { LatheError } from '../../../preload/contract/errors.ts';
import type { Job, JobEvent, JobProgress, JobState } from '../../../preload/contract/jobs.ts';
import type { JobStore } from '../../library/jobs.ts';
import { createChannel, type Channel } from '../channel.ts';

/** What happens between two changes of state is written down at most this often, in milliseconds. */
const saveMs = 1000;

/** Watchers hear of progress at most this often, in milliseconds. */
const progressMs = 100;

export const isOpen = (state: JobState): boolean => state === 'queued' || state === 'running';

/** What may change about a job of a kind. */
export type JobChanges<One extends Job = Job> = Partial<Omit<One, 'id' | 'kind'>>;

/** A job that this process has in its queue or runs: told to its watchers, written down as it goes. */
export class LiveJob<One extends Job = Job> {
  /** Aborted by `cancel`, and when the engine closes. */
  readonly stop = new AbortController();
  readonly ended: Promise<void>;
  #job: One;
  readonly #store: JobStore;
  readonly #end: () => void;
  readonly #watchers = new Set<Channel<JobEvent>>();
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;

  constructor(job: One, store: JobStore) {
    this.#job = job;
    this.#store = store;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  get job(): One {
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

  /** Written down and told as a whole; a state that is not open ends the job. */
  change(changes: JobChanges<One>): void {
    this.#job = { ...this.#job, ...changes };
    this.#save();
    this.#tell({ kind: 'job', job: this.#job });
    if (isOpen(this.#job.state)) return;
    for (const watcher of this.#watchers) watcher.end();
    this.#end();
  }

  /** What the event says is part of the job from now on; written down soon. */
  note(changes: JobChanges<One>, event: JobEvent): void {
    this.#job = { ...this.#job, ...changes };
    this.#saveLater();
    this.#tell(event);
  }

  log(text: string): void {
    const entry = { at: Date.now(), text };
    this.#job = { ...this.#job, log: [...this.#job.log, entry] };
    this.#saveLater();
    this.#tell({ kind: 'log', entry });
  }

  progress(progress: JobProgress): void {
    this.#job = { ...this.#job, progress };
    this.#saveLater();
    if (this.#telling) return;
    this.#telling = setTimeout(() => this.#tellProgress(), progressMs).unref();
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
