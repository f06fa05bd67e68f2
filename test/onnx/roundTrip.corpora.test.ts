import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkModel } from '../../main/onnx/check.ts';
import { decodeModel } from '../../main/onnx/load.ts';
import type { Model } from '../../main/onnx/model.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { runAll, type Outcome } from './pool.ts';
import type { Job } from './runModel.ts';

const archive = fileURLToPath(
  new URL('../../../shared/data/onnx-backend-tests.tar.gz', import.meta.url),
);
const isThere = existsSync(archive);
// oxlint-disable-next-line no-console -- whoever runs the suite must see what it did
const note = (text: string): void => console.log(text);
if (!isThere) note(`round trip of public models: not run, there is no ${archive}`);

/** Twelve thousand small files, on a disk that may be busy. */
const FILES_MS = 5 * 60_000;

describe.runIf(isThere)('models of the ONNX backend tests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-round-trip-'));
  const rewritten = join(folder, 'rewritten');
  let models: string[] = [];
  beforeAll(() => {
    execFileSync('tar', ['xzf', archive, '-C', folder]);
    models = globSync(join(folder, '**/*.onnx')).toSorted();
  }, FILES_MS);
  afterAll(() => rmSync(folder, { recursive: true }), FILES_MS);

  test('decode, pass the checks, and encode to the same bytes', () => {
    const differing: string[] = [];
    for (const path of models) {
      const bytes = new Uint8Array(readFileSync(path));
      const model = decodeModel(bytes, path);
      checkModel(model, path);
      const written = encodeModel(model);
      expect([path, plain(decodeModel(written, path))]).toEqual([path, plain(model)]);
      if (Buffer.compare(written, bytes) !== 0) differing.push(relative(folder, path));
    }
    note(
      `${models.length} models decoded and encoded, ${models.length - differing.length} to the same bytes`,
    );
    expect(models.length).toBeGreaterThan(1900);
    expect(differing).toEqual([]);
  });

  test('compute the same after only what Lathe looks at was kept', async () => {
    const jobs = models.map((path): Job => ({ model: path, runs: runsOf(path) }));
    const again = jobs.map(({ model, runs }): Job => {
      const path = join(rewritten, relative(folder, model));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(
        path,
        encodeModel(essence(decodeModel(new Uint8Array(readFileSync(model)), model))),
      );
      return { model: path, runs };
    });
    const before = await runAll(jobs);
    const after = await runAll(again);
    const counts = new Map<string, number>();
    const differing: string[] = [];
    for (const [index, { model }] of jobs.entries()) {
      const [one, other] = [before[index], after[index]];
      const verdict = compare(one, other);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      if (verdict === 'differs')
        differing.push(`${relative(folder, model)}: ${show(one)} / ${show(other)}`);
    }
    note(
      `onnxruntime on the original and the rewritten model: ${JSON.stringify(Object.fromEntries(counts))}`,
    );
    expect(differing).toEqual([]);
    expect(counts.get('same outputs')).toBeGreaterThan(1500);
  });
});

/** The input files of each data set; none where an input is a sequence, which cannot be fed. */
function runsOf(model: string): string[][] {
  const { graph } = decodeModel(new Uint8Array(readFileSync(model)), model);
  if (graph.inputs.some(({ type }) => type?.kind !== 'tensor')) return [];
  return globSync(join(dirname(model), 'test_data_set_*'))
    .toSorted()
    .map((set) =>
      globSync(join(set, 'input_*.pb')).toSorted((a, b) =>
        a.localeCompare(b, 'en', { numeric: true }),
      ),
    );
}

function compare(one: Outcome | undefined, other: Outcome | undefined): string {
  if (one?.kind !== other?.kind) return 'differs';
  if (one?.kind !== 'loaded' || other?.kind !== 'loaded') return `both ${one?.kind ?? 'lost'}`;
  if (one.runs.some((run, index) => run !== other.runs[index])) return 'differs';
  if (one.runs.length === 0) return 'both loaded, nothing to feed';
  return one.runs.some((run) => run.startsWith('error')) ? 'same run errors' : 'same outputs';
}

const show = (outcome: Outcome | undefined): string => JSON.stringify(outcome).slice(0, 300);

/** A model as plain data, its weights read. */
function plain(value: unknown): unknown {
  return copy(value, (payload) => payload.read());
}

/** A model without what is only carried along, its weights raw. */
function essence(model: Model): Model {
  return copy(model, ({ length, read }) => ({ length, read }), true) as Model;
}

interface Payload {
  readonly length: number;
  read(): Uint8Array;
}

function copy(value: unknown, payload: (payload: Payload) => unknown, drop = false): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) {
    return new Map([...value].map(([key, one]) => [key as unknown, copy(one, payload, drop)]));
  }
  if (Array.isArray(value)) return value.map((one) => copy(one, payload, drop));
  if ('read' in value) return payload(value as Payload);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !(drop && key === 'kept'))
      .map(([key, one]) => [key, copy(one, payload, drop)]),
  );
}
