import * as z from 'zod';
import { benchRecordSchema, type BenchRecord } from '../../preload/contract/bench.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Database, Row } from './database.ts';

/** Measurements of speed and memory; those that were repeated are all kept. */
export interface BenchStore {
  /** `fingerprint`: sha256 over all files that decide what the model says. */
  add(
    fingerprint: string,
    record: Omit<BenchRecord, 'id'>,
    decodeMs: readonly number[],
  ): BenchRecord;
  /** The newest first; of one model, by the name it had, or of all. */
  list(filter: { model?: string | undefined }): BenchRecord[];
  /** Milliseconds between tokens, in the order they came. */
  samples(id: number): Float64Array<ArrayBuffer>;
  remove(id: number): void;
}

export function benchStore(database: Database): BenchStore {
  return {
    add(fingerprint, record, decodeMs) {
      const row = database.get(
        `INSERT INTO benches (model, name, request, device, measured_at, record, samples)
         VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
        fingerprint,
        record.model,
        JSON.stringify(record.request),
        record.device,
        record.measuredAt,
        JSON.stringify(record),
        JSON.stringify(decodeMs),
      );
      return { ...record, id: Number(row?.['id']) };
    },

    list({ model = null }) {
      const rows = database.all(
        `SELECT id, record FROM benches WHERE ?1 IS NULL OR name = ?1
         ORDER BY measured_at DESC, id DESC`,
        model,
      );
      return rows.flatMap(readable);
    },

    samples(id) {
      const row = database.get('SELECT samples FROM benches WHERE id = ?', id);
      if (row === undefined) throw missing(id);
      return Float64Array.from(samplesSchema.parse(JSON.parse(String(row['samples']))));
    },

    remove(id) {
      if (database.run('DELETE FROM benches WHERE id = ?', id) === 0) throw missing(id);
    },
  };
}

const samplesSchema = z.array(z.number());

const missing = (id: number): LatheError =>
  new LatheError('not_found', `no measurement of this number: ${id}`, { value: String(id) });

/** The record of a row; none where another version wrote it otherwise. */
function readable({ id, record }: Row): BenchRecord[] {
  const written: unknown = JSON.parse(String(record));
  const { data } = benchRecordSchema.omit({ id: true }).safeParse(written);
  return data === undefined ? [] : [{ ...data, id: Number(id) }];
}
