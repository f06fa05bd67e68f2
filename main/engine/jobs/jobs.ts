import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatheError, type ErrorCode } from '../../../preload/contract/errors.ts';
import type { CompressRequest, Job, JobEvent, JobSummary } from '../../../preload/contract/jobs.ts';
import { summaryOf } from '../../library/jobs.ts';
import { fingerprintOf } from '../../library/manifest.ts';
import { fromOrpc } from '../errors.ts';
import { openModel } from '../openModel.ts';
import { isOpen, LiveJob } from './liveJob.ts';
import { variantName } from './names.ts';
import type { Workshop } from '../ownRunner.ts';
import { runJob } from './runJob.ts';

/** Long work that outlives its window: one at a time, written down, resumed after a crash. */
export interface Jobs {
  start(request: CompressRequest, signal?: AbortSignal): Promise<string[]>;
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
  const queue: LiveJob[] = [];
  let working = Promise.resolve();
  let isWorking = false;

  const change = (live: LiveJob, changes: Partial<Job>): void => {
    live.change(changes);
    if (!isOpen(live.job.state)) mine.delete(live.job.id);
    core.tell({ kind: 'jobs-changed' });
  };

  const enqueue = (job: Job): void => {
    const live = new LiveJob(job, store);
    mine.set(job.id, live);
    queue.push(live);
    core.tell({ kind: 'jobs-changed' });
    if (!isWorking) working = work();
  };

  const work = async (): Promise<void> => {
    isWorking = true;
    // Whoever started the job hears its id before it begins.
    await sleep(0);
    for (let live = queue.shift(); live; live = queue.shift()) await run(live);
    isWorking = false;
  };

  const run = async (live: LiveJob): Promise<void> => {
    const { id, startedAt } = live.job;
    try {
      change(live, { state: 'running', startedAt: startedAt ?? Date.now(), error: null });
      const { record } = await runJob(workshop, live, store.get(id));
      store.clear(id);
      live.log(`published as ${record.name}`);
      core.tell({ kind: 'models-changed' });
      change(live, { state: 'finished', endedAt: Date.now(), result: record });
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
    async start({ model, recipes, names }, signal) {
      if (names !== undefined && names.length !== recipes.length) {
        throw new LatheError('usage', `a name per recipe is wanted: ${names.length}`, {
          value: String(names.length),
        });
      }
      const { record, files } = await openModel(core, model, { signal });
      const taken = new Set(
        store.list().flatMap(({ state, name }) => (isOpen(state) ? [name] : [])),
      );
      const isTaken = (name: string): boolean =>
        taken.has(name) || core.library.models.isTaken(name);
      const asked = record.source === 'folder' ? record.folder : record.name;
      const made = recipes.map((recipe, at): Job => {
        const choice = { asked: names?.[at], recipe: recipe.name };
        const name = variantName(record.name, choice, isTaken);
        taken.add(name);
        return newJob(record.name, name, recipe);
      });
      for (const job of made) {
        store.add({ job, asked, fingerprint: fingerprintOf(files) });
        enqueue(job);
      }
      return made.map(({ id }) => id);
    },

    list: () => store.list().map((job) => summaryOf(mine.get(job.id)?.job ?? job)),

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
        const place = queue.indexOf(live);
        if (place < 0) await live.ended;
        else fail(queue.splice(place, 1)[0], cancelled);
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
      for (const live of queue.splice(0)) fail(live, closed);
      await working;
    },
  };
  return jobs;
}

function newJob(model: string, name: string, recipe: Job['recipe']): Job {
  return {
    id: randomUUID(),
    kind: 'compress',
    model,
    recipe,
    name,
    state: 'queued',
    progress: null,
    createdAt: Date.now(),
    startedAt: null,
    endedAt: null,
    error: null,
    result: null,
    passes: [],
    layers: [],
    log: [],
  };
}
