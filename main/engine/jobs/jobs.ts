import { setTimeout as sleep } from 'node:timers/promises';
import { LatheError, type ErrorCode } from '../../../preload/contract/errors.ts';
import type { Job, JobEvent, JobSummary } from '../../../preload/contract/jobs.ts';
import { summaryOf, type StoredJob } from '../../library/jobs.ts';
import { fromOrpc } from '../errors.ts';
import type { Workshop } from '../ownRunner.ts';
import { refuseNewerReadings } from '../runner/keptReadings.ts';
import { workOf, type Work } from './kinds.ts';
import { isOpen, type JobChanges, type LiveJob } from './liveJob.ts';

/** Long work that outlives its window: one at a time, written down, resumed after a crash. */
export interface Jobs {
  /** Queues jobs in this order; gives their ids. */
  add(made: readonly StoredJob[]): string[];
  list(): JobSummary[];
  get(id: string): Job;
  watch(id: string, signal?: AbortSignal): AsyncGenerator<JobEvent>;
  cancel(id: string): Promise<Job>;
  resume(id: string): Job;
  remove(id: string): Promise<void>;
  /** Stops what runs; it can be resumed. */
  close(): Promise<void>;
}

/** How often a job of another process is looked at, in milliseconds. */
const lookMs = 1000;

/** Failures of the process, not of the work: the same again may end well. */
const resumable: readonly ErrorCode[] = ['runner_crashed', 'runner_hung', 'memory_limit'];

/** Why a job was stopped. */
const cancelled = new LatheError('cancelled', 'the job was cancelled');
const closed = new LatheError('engine_lost', 'the engine was closed');

export function createJobs(workshop: Workshop): Jobs {
  const { core } = workshop;
  const store = core.library.jobs;
  const mine = new Map<string, LiveJob>();
  const queue: Work[] = [];
  let working = Promise.resolve();
  let isWorking = false;
  let latest = 0;

  const change = (live: LiveJob, changes: JobChanges): void => {
    live.change(changes);
    if (!isOpen(live.job.state)) mine.delete(live.job.id);
    core.tell({ kind: 'jobs-changed' });
  };

  const enqueue = (...queued: readonly Job[]): void => {
    for (const job of queued) {
      const work = workOf(workshop, job);
      mine.set(job.id, work.live);
      queue.push(work);
    }
    core.tell({ kind: 'jobs-changed' });
    if (!isWorking) working = workAll();
  };

  const workAll = async (): Promise<void> => {
    isWorking = true;
    // Whoever started the job hears its id before it begins.
    await sleep(0);
    for (let work = queue.shift(); work; work = queue.shift()) await run(work);
    isWorking = false;
  };

  const run = async ({ live, run: work }: Work): Promise<void> => {
    const { id, startedAt } = live.job;
    try {
      change(live, { state: 'running', startedAt: startedAt ?? Date.now(), error: null });
      const done = await work();
      store.clear(id);
      change(live, { ...done, state: 'finished', endedAt: Date.now() });
    } catch (thrown) {
      fail(live, fromOrpc(thrown));
    }
  };

  const fail = (live: LiveJob, { code, message, data }: LatheError): void => {
    const endedAt = Date.now();
    const { aborted, reason } = live.stop.signal;
    if (aborted && reason === closed) return change(live, { state: 'interrupted', endedAt });
    if (aborted) {
      store.clear(live.job.id);
      return change(live, { state: 'cancelled', endedAt });
    }
    const isResumable = resumable.includes(code);
    if (!isResumable) store.clear(live.job.id);
    const state = isResumable ? 'interrupted' : 'failed';
    change(live, { state, endedAt, error: { code, message, data } });
  };

  const refuseElsewhere = (id: string): void => {
    if (!store.isElsewhere(id)) return;
    throw new LatheError('usage', `another Lathe on this library works on the job: ${id}`, {
      value: id,
    });
  };

  const jobs: Jobs = {
    add(made) {
      // Each is a millisecond younger than the one before it at least, so that lists keep the order.
      const queued = made.map((stored): StoredJob => {
        latest = Math.max(Date.now(), latest + 1);
        return { ...stored, job: { ...stored.job, createdAt: latest } };
      });
      store.add(queued);
      enqueue(...queued.map(({ job }) => job));
      return queued.map(({ job }) => job.id);
    },

    list: () =>
      store.list().map((job) => {
        const live = mine.get(job.id);
        return live === undefined ? job : summaryOf(live.job);
      }),

    get: (id) => mine.get(id)?.job ?? store.get(id).job,

    async *watch(id, signal) {
      const live = mine.get(id);
      if (live) return yield* live.watch(signal);
      let { job } = store.get(id);
      yield { kind: 'job', job };
      while (isOpen(job.state)) {
        await sleep(lookMs, undefined, signal ? { signal } : {});
        const now = store.get(id).job;
        if (JSON.stringify(now) !== JSON.stringify(job)) yield { kind: 'job', job: now };
        job = now;
      }
    },

    async cancel(id) {
      refuseElsewhere(id);
      const live = mine.get(id);
      if (live) {
        live.stop.abort(cancelled);
        const place = queue.findIndex((work) => work.live === live);
        if (place < 0) await live.ended;
        else fail(queue.splice(place, 1)[0].live, cancelled);
        return live.job;
      }
      const { job } = store.get(id);
      if (job.state !== 'interrupted') return job;
      store.clear(id);
      const ended: Job = { ...job, state: 'cancelled' };
      store.save(ended);
      core.tell({ kind: 'jobs-changed' });
      return ended;
    },

    resume(id) {
      refuseElsewhere(id);
      const { job } = store.get(id);
      if (job.state !== 'interrupted') {
        throw new LatheError('usage', `only an interrupted job can be resumed: ${job.state}`, {
          value: job.state,
        });
      }
      if (job.kind === 'evaluate') refuseNewerReadings(store.folder(id));
      const queued: Job = { ...job, state: 'queued', error: null, endedAt: null };
      store.save(queued);
      enqueue(queued);
      return queued;
    },

    async remove(id) {
      await jobs.cancel(id);
      store.remove(id);
      core.tell({ kind: 'jobs-changed' });
    },

    async close() {
      for (const live of mine.values()) live.stop.abort(closed);
      for (const { live } of queue.splice(0)) fail(live, closed);
      await working;
    },
  };
  return jobs;
}
