import {
  evaluationRecordSchema,
  type EvaluationRecord,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import type { Database } from './database.ts';

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

/** Measurements of quality; those that were repeated are all kept. */
export interface EvaluationStore {
  /** The newest of this key, or null. */
  find(key: EvaluationKey): EvaluationRecord | null;
  /** All of them or, when that fails, none. */
  add(measured: readonly { key: EvaluationKey; record: EvaluationRecord }[]): void;
}

export function evaluationStore(database: Database): EvaluationStore {
  return {
    find({ metric, model, base, protocol, data, device }) {
      const row = database.get(
        `SELECT record FROM evaluations
         WHERE metric = ? AND model = ? AND base = ? AND protocol = ? AND data = ? AND device = ?
         ORDER BY id DESC LIMIT 1`,
        metric,
        model,
        base,
        protocol,
        data,
        device,
      );
      if (row === undefined) return null;
      // One that another version wrote may look otherwise: then it is measured again.
      return evaluationRecordSchema.safeParse(JSON.parse(String(row['record']))).data ?? null;
    },

    add(measured) {
      database.transaction(() => {
        for (const { key, record } of measured) {
          database.run(
            `INSERT INTO evaluations (metric, model, base, protocol, data, device, measured_at, record)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
            key.metric,
            key.model,
            key.base,
            key.protocol,
            key.data,
            key.device,
            record.measuredAt,
            JSON.stringify(record),
          );
        }
      });
    },
  };
}
