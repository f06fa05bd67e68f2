import { LatheError } from '../../../preload/contract/errors.ts';
import type { RunnerState } from '../../../preload/contract/system.ts';
import { isAlive } from '../../library/folders.ts';
import type { RunnerClient } from './contract.ts';
import type { StartRunner } from './host.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createQueue } from './queue.ts';
import { blind, residentBytesOf, tooLarge } from './residentSet.ts';
import { watchRunner, type WatchedRunner } from './watched.ts';

/** A model as the supervisor knows it: one runner per folder, shown under the name. */
export interface ModelRef {
  readonly folder: string;
  readonly name: string;
}

export interface SupervisorOptions {
  readonly startRunner: StartRunner;
  readonly limits?: Partial<Limits> | undefined;
  /** Largest resident set of one runner, in bytes; asked again at every look. */
  readonly memoryLimit: () => number;
  /** Resident set of a process, in bytes. */
  readonly residentBytes?: ((pid: number) => Promise<number>) | undefined;
  readonly onState: (state: RunnerState) => void;
}

/** What a job may do with its runner while it has its turn. */
export interface Job {
  readonly stream: WatchedRunner['stream'];
  /** Lets idle models go until so many bytes more fit beside those that stay. */
  makeRoom(bytes: number): void;
  /** Says that the model is loaded, and how its cache works. */
  loaded(fastCache: boolean): void;
}

/** Keeps one runner per model and sees to it that none takes others down with it. */
export interface Supervisor {
  /** Of every model that had a runner. */
  states(): RunnerState[];
  /** Whether a job would have to wait. */
  readonly isBusy: boolean;
  /** A short question, answered between two tokens of a job. */
  ask<T>(
    model: ModelRef,
    call: (client: RunnerClient) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
  /** Long work. Jobs have their turn one after the other, whatever their model. */
  run<T>(
    model: ModelRef,
    work: (job: Job) => AsyncIterable<T>,
    signal?: AbortSignal,
  ): AsyncGenerator<T, void>;
  /**
   * The turn of a job with a process of its own, once idle models have made room for so many bytes:
   * no other job runs until the call that this gives.
   */
  turn(bytes: number, signal?: AbortSignal): Promise<() => void>;
  /** Lets a model go, named by its name or its folder. */
  unload(model: string): void;
  close(): Promise<void>;
}

interface Entry {
  readonly model: ModelRef;
  readonly runner: WatchedRunner;
  readonly exited: Promise<unknown>;
  rssBytes: number;
  /** null until a model is loaded. */
  fastCache: boolean | null;
  jobs: number;
  /** Questions under way. */
  asked: number;
  usedAt: number;
  /** Whether anybody has heard of it: a runner that was only asked is not worth a message. */
  told: boolean;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const limits = { ...defaultLimits, ...options.limits };
  const residentBytes = options.residentBytes ?? residentBytesOf;
  const queue = createQueue();
  const entries = new Map<string, Promise<Entry>>();
  const live = new Set<Entry>();
  const states = new Map<string, RunnerState>();
  const crashes = new Map<string, number[]>();
  let clock = 0;

  const tell = (entry: Entry, state: RunnerState): void => {
    entry.told = true;
    states.set(state.model, state);
    options.onState(state);
  };

  const tellOf = (entry: Entry): void => {
    const { model, rssBytes, fastCache } = entry;
    if (entry.fastCache === null) tell(entry, { kind: 'loading', model: model.name });
    else if (entry.jobs > 0)
      tell(entry, { kind: 'busy', model: model.name, rssBytes, queued: queue.waiting });
    else tell(entry, { kind: 'ready', model: model.name, rssBytes, fastCache: fastCache === true });
  };

  const look = async (entry: Entry): Promise<void> => {
    let bytes: number;
    try {
      bytes = await residentBytes(entry.runner.pid);
    } catch (error) {
      // A process that has just ended has no resident set; its end is told elsewhere.
      if (!live.has(entry) || !isAlive(entry.runner.pid)) return;
      throw error;
    }
    if (!live.has(entry)) return;
    const before = entry.rssBytes;
    entry.rssBytes = bytes;
    const limit = options.memoryLimit();
    if (bytes > limit) entry.runner.end(tooLarge(entry.model.name, bytes, limit));
    else if (Math.abs(bytes - before) > noticeableBytes && entry.fastCache !== null) tellOf(entry);
  };

  let watch: NodeJS.Timeout | undefined;
  const watchAll = (): void => {
    for (const entry of live) look(entry).catch((error: unknown) => entry.runner.end(blind(error)));
  };

  const buried = (entry: Entry, reason: LatheError): void => {
    live.delete(entry);
    entries.delete(entry.model.folder);
    if (live.size === 0) clearInterval(watch);
    const { name, folder } = entry.model;
    if (reason.code === 'cancelled') {
      if (entry.told) tell(entry, { kind: 'unloaded', model: name });
      return;
    }
    crashes.set(folder, [...recentCrashes(folder), Date.now()]);
    const { code, message, data } = reason;
    tell(entry, { kind: 'dead', model: name, code, message, next: data.next ?? [] });
  };

  const recentCrashes = (folder: string): number[] =>
    (crashes.get(folder) ?? []).filter((time) => Date.now() - time < limits.crashWindowMs);

  const start = async (model: ModelRef): Promise<Entry> => {
    const process = await options.startRunner();
    const entry: Entry = {
      model,
      runner: watchRunner(process, model.name, limits),
      exited: process.exited,
      rssBytes: 0,
      fastCache: null,
      jobs: 0,
      asked: 0,
      usedAt: clock++,
      told: false,
    };
    if (live.size === 0) watch = setInterval(watchAll, limits.pollMs).unref();
    live.add(entry);
    void entry.runner.dead.then((reason) => buried(entry, reason));
    return entry;
  };

  const runnerOf = async (model: ModelRef): Promise<Entry> => {
    const there = entries.get(model.folder);
    if (there) {
      const entry = await there;
      entry.usedAt = clock++;
      return entry;
    }
    const count = recentCrashes(model.folder).length;
    if (count >= limits.crashes) throw quarantined(model.name, count, limits.crashWindowMs);
    makeRoom();
    const starting = start(model);
    entries.set(model.folder, starting);
    starting.catch(() => entries.delete(model.folder));
    return starting;
  };

  /** Runners that may be ended, the one used last first. */
  const idle = (): Entry[] =>
    [...live]
      .filter((entry) => entry.jobs === 0 && entry.asked === 0)
      .toSorted((a, b) => b.usedAt - a.usedAt);

  /** Ends the idle runners used longest ago, so that `keep` of them stay beside a new one. */
  const makeRoom = (): void => {
    for (const entry of idle().slice(limits.keep)) entry.runner.end(unloaded());
  };

  const makeRoomFor = (bytes: number): void => {
    let used = [...live].reduce((sum, entry) => sum + entry.rssBytes, 0);
    for (const entry of idle().toReversed()) {
      if (used + bytes <= options.memoryLimit()) return;
      used -= entry.rssBytes;
      entry.runner.end(unloaded());
    }
  };

  return {
    states: () => [...states.values()],

    get isBusy() {
      return queue.isHeld;
    },

    async ask(model, call, signal) {
      const entry = await runnerOf(model);
      entry.asked++;
      try {
        return await entry.runner.ask(call, signal);
      } finally {
        entry.asked--;
      }
    },

    async *run(model, work, signal) {
      const release = await queue.acquire(signal);
      let entry: Entry | undefined;
      try {
        entry = await runnerOf(model);
        yield* turn(entry, work);
      } finally {
        release();
        if (entry && live.has(entry) && entry.fastCache !== null) tellOf(entry);
      }
    },

    async turn(bytes, signal) {
      const release = await queue.acquire(signal);
      makeRoomFor(bytes);
      return release;
    },

    unload(model) {
      for (const entry of live) {
        const { name, folder } = entry.model;
        if (name === model || folder === model) entry.runner.end(unloaded());
      }
    },

    async close() {
      const ended = [...live].map((entry) => entry.exited);
      for (const entry of live) entry.runner.end(unloaded());
      await Promise.all(ended);
    },
  };

  async function* turn<T>(entry: Entry, work: (job: Job) => AsyncIterable<T>): AsyncGenerator<T> {
    entry.jobs++;
    tellOf(entry);
    try {
      yield* work({
        stream: entry.runner.stream,
        makeRoom: makeRoomFor,
        loaded(fastCache) {
          entry.fastCache = fastCache;
          tellOf(entry);
        },
      });
    } finally {
      entry.jobs--;
    }
  }
}

/** Smaller changes of a resident set are not worth a message. */
const noticeableBytes = 2 ** 20;

function quarantined(name: string, count: number, windowMs: number): LatheError {
  return new LatheError(
    'model_quarantined',
    `${name} ended its process ${count} times within ${windowMs / 60_000} minutes and is not started again for now`,
    { value: String(count), next: ['choose-model', 'report'] },
  );
}

/** Not a failure: the model was let go. */
const unloaded = (): LatheError => new LatheError('cancelled', 'the model was unloaded');
