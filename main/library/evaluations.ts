import type * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import {
  evaluationRecordSchema,
  type evaluationFilterSchema,
  type EvaluationRecord,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import type { Database, Row } from './database.ts';

/** What makes a measurement the same as another. */
export interface EvaluationKey {
  readonly metric: Metric;
  /** sha256 over all files that decide what the model says; likewise of the base, or empty. */
  readonly model: string;
  readonly base: string;
  readonly protocol: string;
  /** sha256 of the data. */
  readonly data: string;
  readonly device: string;
}

/** A measurement that was not written down yet. */
export type NewEvaluation = Omit<EvaluationRecord, 'id'>;

/** Measurements of quality; those that were repeated are all kept. */
export interface EvaluationStore {
  /** The newest of this key, or null; one of models that are called so before all others. */
  find(
    key: EvaluationKey,
    names: Pick<EvaluationRecord, 'model' | 'base'>,
  ): EvaluationRecord | null;
  /** All of them or, when that fails, none; with their ids. */
  add(measured: readonly { key: EvaluationKey; record: NewEvaluation }[]): EvaluationRecord[];
  /** The newest first. */
  list(filter: z.infer<typeof evaluationFilterSchema>): EvaluationRecord[];
  remove(id: number): void;
}

export function evaluationStore(database: Database): EvaluationStore {
  return {
    find({ metric, model, base, protocol, data, device }, names) {
      const row = database.get(
        `SELECT id, record FROM evaluations
         WHERE metric = ? AND model = ? AND base = ? AND protocol = ? AND data = ? AND device = ?
         ORDER BY json_extract(record, '$.model') = ? AND json_extract(record, '$.base') IS ? DESC,
           id DESC LIMIT 1`,
        metric,
        model,
        base,
        protocol,
        data,
        device,
        names.model,
        names.base,
      );
      return row === undefined ? null : (readable(row)[0] ?? null);
    },

    add(measured) {
      return database.transaction(() =>
        measured.map(({ key, record }) => {
          const row = database.get(
            `INSERT INTO evaluations (metric, model, base, protocol, data, device, measured_at, record)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
            key.metric,
            key.model,
            key.base,
            key.protocol,
            key.data,
            key.device,
            record.measuredAt,
            JSON.stringify(record),
          );
          return { ...record, id: Number(row?.['id']) };
        }),
      );
    },

    list({ model = null, metric = null }) {
      const rows = database.all(
        `SELECT id, record FROM evaluations
         WHERE (?1 IS NULL OR json_extract(record, '$.model') = ?1) AND (?2 IS NULL OR metric = ?2)
         ORDER BY measured_at DESC, id DESC`,
        model,
        metric,
      );
      return rows.flatMap(readable);
    },

    remove(id) {
      if (database.run('DELETE FROM evaluations WHERE id = ?', id) > 0) return;
      throw new LatheError('not_found', `no measurement of this number: ${id}`, {
        value: String(id),
      });
    },
  };
}

/** The record of a row; none where another version wrote it otherwise. */
function readable({ id, record }: Row): EvaluationRecord[] {
  const written: unknown = JSON.parse(String(record));
  const { data } = evaluationRecordSchema.omit({ id: true }).safeParse(written);
  return data === undefined ? [] : [{ ...data, id: Number(id) }];
}
