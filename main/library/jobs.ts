import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import {
  jobSchema,
  jobSummarySchema,
  type Job,
  type JobState,
  type JobSummary,
} from '../../preload/contract/jobs.ts';
import type { Database, Row } from './database.ts';
import type { Home } from './home.ts';
import { isRunning, owner } from './owner.ts';

/** A job, and what only the engine needs to know of it. */
export interface StoredJob {
  readonly job: Job;
  /** sha256 over all files that decide what the model says, when the job was made. */
  readonly fingerprint: string;
  /** Folder or library name that the model was asked for by. */
  readonly asked: string;
}

/** Jobs on the disk. Their unfinished models lie in a folder each, beside the database. */
export interface JobStore {
  /** All of them or none. */
  add(made: readonly StoredJob[]): void;
  /** Writes the newest state down; ours from then on. */
  save(job: Job): void;
  get(id: string): StoredJob;
  /** The newest first. */
  list(): JobSummary[];
  /** Whether another process that still runs works on it. */
  isElsewhere(id: string): boolean;
  remove(id: string): void;
  /** The job's folder, made when it is not there. */
  folder(id: string): string;
  /** Deletes the job's folder with all that is in it. */
  clear(id: string): void;
}

const open: readonly JobState[] = ['queued', 'running'];

export function jobStore(home: Home, database: Database): JobStore {
  const folderOf = (id: string): string => join(home.jobs, id);
  const row = (id: string): Row => {
    const found = database.get('SELECT * FROM jobs WHERE id = ?', id);
    if (found) return found;
    throw new LatheError('not_found', `no job of this id: ${id}`, { value: id });
  };

  /** A job whose process is gone goes on only when it is told to. */
  const settle = (): void => {
    for (const found of database.all("SELECT * FROM jobs WHERE state IN ('queued', 'running')")) {
      if (isRunning(String(found['owner']))) continue;
      const job = readable(String(found['job']));
      if (job !== null) store.save({ ...job, state: 'interrupted', endedAt: Date.now() });
      else database.run("UPDATE jobs SET state = 'interrupted' WHERE id = ?", found['id']);
    }
  };

  /** Folders that no job needs any more: their process ended between two steps. */
  const sweepFolders = (): void => {
    // Looked at before the table: a job has its row before it has a folder.
    const folders = readdirSync(home.jobs);
    const needed = new Set(
      database
        .all("SELECT id FROM jobs WHERE state IN ('queued', 'running', 'interrupted')")
        .map((found) => String(found['id'])),
    );
    for (const name of folders) {
      if (!needed.has(name)) rmSync(folderOf(name), { recursive: true, force: true });
    }
  };

  /** Summaries as they were read last: a list of hundreds of jobs is asked for again and again. */
  const summaries = new Map<string, { written: string; summary: JobSummary | null }>();
  const summary = (id: string, written: string): JobSummary | null => {
    const known = summaries.get(id);
    if (known?.written === written) return known.summary;
    const job = readable(written);
    const now = job && summaryOf(job);
    summaries.set(id, { written, summary: now });
    return now;
  };

  const store: JobStore = {
    add(made) {
      database.transaction(() => {
        for (const { job, fingerprint, asked } of made) {
          database.run(
            `INSERT INTO jobs (id, created_at, owner, state, fingerprint, asked, job)
             VALUES (?, ?, ?, ?, ?, ?, ?)`,
            job.id,
            job.createdAt,
            owner,
            job.state,
            fingerprint,
            asked,
            JSON.stringify(job),
          );
        }
      });
    },

    save(job) {
      database.run(
        'UPDATE jobs SET owner = ?, state = ?, job = ? WHERE id = ?',
        owner,
        job.state,
        JSON.stringify(job),
        job.id,
      );
    },

    get(id) {
      settle();
      return parse(row(id));
    },

    list() {
      settle();
      return database
        .all('SELECT id, job FROM jobs ORDER BY created_at DESC, id DESC')
        .flatMap(({ id, job }) => summary(String(id), String(job)) ?? []);
    },

    isElsewhere(id) {
      const { state, owner: recorded } = row(id);
      const isOpen = open.some((one) => one === state);
      return isOpen && recorded !== owner && isRunning(String(recorded));
    },

    remove(id) {
      store.clear(id);
      database.run('DELETE FROM jobs WHERE id = ?', id);
      summaries.delete(id);
    },

    folder(id) {
      const folder = folderOf(String(row(id)['id']));
      mkdirSync(folder, { recursive: true });
      return folder;
    },

    clear(id) {
      const folder = folderOf(String(row(id)['id']));
      // Windows deletes what a process had open only a moment after its end.
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  settle();
  sweepFolders();
  return store;
}

/** A job without what grows with it. */
export const summaryOf = (job: Job): JobSummary => jobSummarySchema.parse(job);

/** A job as it was written; null where another version did, whose passes this one does not know. */
const readable = (written: string): Job | null =>
  jobSchema.safeParse(JSON.parse(written)).data ?? null;

function parse(found: Row): StoredJob {
  const job = readable(String(found['job']));
  if (job === null) {
    const id = String(found['id']);
    throw new LatheError('file_malformed', `another version of Lathe wrote down this job: ${id}`, {
      value: id,
    });
  }
  return {
    job,
    fingerprint: String(found['fingerprint']),
    asked: String(found['asked']),
  };
}
