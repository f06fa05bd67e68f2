import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import {
  finishReasonSchema,
  generatedTokenSchema,
  generateRequestSchema,
  timingSchema,
  type GenerateEvent,
  type GeneratedToken,
  type GenerateRequest,
  type Prompt,
  type Run,
  type RunSummary,
} from '../../preload/contract/generation.ts';
import type { Database, Row } from './database.ts';
import { isRunning, owner } from './owner.ts';

type StartEvent = Extract<GenerateEvent, { kind: 'start' }>;
type FinishEvent = Extract<GenerateEvent, { kind: 'finish' }>;

/** Writes one run down while it streams: nothing older than `flushMs` is lost with the process. */
export interface RunRecorder {
  readonly id: string;
  token(token: GeneratedToken): void;
  finish(event: FinishEvent): void;
  /** The run broke off; what was streamed so far stays. */
  fail(message: string): void;
  /** The run was stopped before it could say so itself. */
  cancel(): void;
}

export interface RunStore {
  begin(request: GenerateRequest, start: StartEvent): RunRecorder;
  list(options: { limit: number; search?: string | undefined }): RunSummary[];
  get(id: string): Run;
  remove(id: string): void;
}

const interrupted = 'interrupted: the process that ran it ended';

export function runStore(database: Database, flushMs = 250): RunStore {
  /** A run whose process is gone will not end any more: say so. */
  const settle = (): void => {
    const open = database.all('SELECT id, owner FROM runs WHERE finish IS NULL AND error IS NULL');
    for (const row of open) {
      if (!isRunning(String(row['owner']))) {
        database.run('UPDATE runs SET error = ? WHERE id = ?', interrupted, String(row['id']));
      }
    }
  };

  return {
    begin: (request, start) => record(database, flushMs, request, start),

    list({ limit, search }) {
      settle();
      const pattern = `%${(search ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
      return database
        .all(
          String.raw`SELECT id, started_at, model, prompt_text, text, new_tokens, finish, error FROM runs
           WHERE prompt_text LIKE ? ESCAPE '\' OR text LIKE ? ESCAPE '\' OR model LIKE ? ESCAPE '\'
           ORDER BY started_at DESC, id DESC LIMIT ?`,
          pattern,
          pattern,
          pattern,
          limit,
        )
        .map(toSummary);
    },

    get(id) {
      settle();
      const row = database.get('SELECT * FROM runs WHERE id = ?', id);
      if (row === undefined) {
        throw new LatheError('not_found', `no run of this id in the history: ${id}`, { value: id });
      }
      const batches = database.all(
        'SELECT tokens FROM run_tokens WHERE run = ? ORDER BY first',
        id,
      );
      return toRun(row, batches);
    },

    remove(id) {
      database.run('DELETE FROM runs WHERE id = ?', id);
    },
  };
}

function record(
  database: Database,
  flushMs: number,
  request: GenerateRequest,
  start: StartEvent,
): RunRecorder {
  const id = randomUUID();
  let text = '';
  let saved = 0;
  let pending: GeneratedToken[] = [];
  let timer: NodeJS.Timeout | undefined;
  let failure: unknown;

  database.run(
    `INSERT INTO runs (id, started_at, owner, model, prompt_text, request, seed, prompt_tokens,
       context_length, text, new_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0)`,
    id,
    Date.now(),
    owner,
    request.model,
    promptText(request.prompt),
    JSON.stringify(request),
    start.seed,
    start.promptTokens,
    start.contextLength,
  );

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    const batch = pending;
    pending = [];
    database.transaction(() => {
      database.run(
        'INSERT INTO run_tokens (run, first, tokens) VALUES (?, ?, ?)',
        id,
        saved,
        JSON.stringify(batch),
      );
      saved += batch.length;
      database.run('UPDATE runs SET text = ?, new_tokens = ? WHERE id = ?', text, saved, id);
    });
  };

  /** A timer has no caller: what goes wrong in it is told at the next token. */
  const flushLater = (): void => {
    try {
      flush();
    } catch (error) {
      failure = error;
    }
  };

  return {
    id,
    token(token) {
      if (failure !== undefined) throw failure;
      text += token.text;
      pending.push(token);
      timer ??= setTimeout(flushLater, flushMs).unref();
    },
    finish(event) {
      flush();
      database.run(
        'UPDATE runs SET text = ?, finish = ?, timing = ? WHERE id = ?',
        event.text,
        event.reason,
        JSON.stringify(event.timing),
        id,
      );
    },
    fail(message) {
      flush();
      database.run('UPDATE runs SET error = ? WHERE id = ? AND finish IS NULL', message, id);
    },
    cancel() {
      flush();
      database.run(
        "UPDATE runs SET finish = 'cancelled' WHERE id = ? AND finish IS NULL AND error IS NULL",
        id,
      );
    },
  };
}

/** The prompt as one text, for lists and search. */
function promptText(prompt: Prompt): string {
  switch (prompt.kind) {
    case 'completion':
      return prompt.text;
    case 'chat':
      return prompt.messages.map((message) => message.content).join('\n');
  }
}

const nullable = (value: Row[string] | undefined): string | null =>
  typeof value === 'string' ? value : null;

function toSummary(row: Row): RunSummary {
  return {
    id: String(row['id']),
    startedAt: Number(row['started_at']),
    model: String(row['model']),
    promptText: String(row['prompt_text']),
    text: String(row['text']),
    newTokens: Number(row['new_tokens']),
    finish: finishReasonSchema.nullable().parse(row['finish']),
    error: nullable(row['error']),
  };
}

function toRun(row: Row, batches: readonly Row[]): Run {
  const timing = nullable(row['timing']);
  return {
    id: String(row['id']),
    startedAt: Number(row['started_at']),
    request: generateRequestSchema.parse(JSON.parse(String(row['request']))),
    seed: Number(row['seed']),
    promptTokens: Number(row['prompt_tokens']),
    contextLength: Number(row['context_length']),
    tokens: batches.flatMap((batch) =>
      z.array(generatedTokenSchema).parse(JSON.parse(String(batch['tokens']))),
    ),
    text: String(row['text']),
    finish: finishReasonSchema.nullable().parse(row['finish']),
    error: nullable(row['error']),
    timing: timing === null ? null : timingSchema.parse(JSON.parse(timing)),
  };
}
