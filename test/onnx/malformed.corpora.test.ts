import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkModel } from '../../main/onnx/check.ts';
import { decodeModel, loadModel } from '../../main/onnx/load.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { mutate, smallModel } from './mutate.ts';

const corpus = fileURLToPath(new URL('../../../shared/malformed/', import.meta.url));
const isThere = existsSync(corpus);
// oxlint-disable-next-line no-console -- whoever runs the suite must see what it did
const note = (text: string): void => console.log(text);
if (!isThere) note(`malformed models: not run, there is no ${corpus}`);

interface Case {
  readonly cat: string;
  readonly name: string;
  readonly f: string;
  readonly mode?: 'bytes';
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** What onnxruntime-node 1.30 loads and we refuse. */
const stricter = new Set([
  // A hard link may stand for any file of the disk; NUL ends a name in C.
  'external: hardlink',
  'external: nul in location',
  // ONNX demands one name per constant, names in UTF-8, and a graph that gives something.
  'graph: dup initializer',
  'graph: non-utf8 names',
  'graph: no outputs',
  // The same, hit by chance: a domain that is no text, elements given raw and as a list.
  'mutate: bitflip@286#18',
  'mutate: bitflip@289#65',
  'mutate: bitflip@195#156',
]);

/** What onnxruntime refuses and we leave to it: operators, their attributes, types and shapes. */
const lenient = new Set(
  [
    'header: ir_version 999',
    'header: opset 999',
    'graph: unknown op',
    'graph: attr wrong type',
    'graph: unknown attr',
    'graph: too many inputs',
    'tensor: string tensor as float op',
    'contrib: MNB B too small',
    'contrib: MNB scales too small',
    'contrib: MNB zp too small',
    'contrib: MNB N huge',
    'contrib: MNB K huge vs A',
    'contrib: MNB negative N',
    'contrib: MNB K=0',
    'contrib: MNB block 0',
    'contrib: MNB bits 0',
    'contrib: MNB bits 64',
    'contrib: MNB missing K attr',
    'contrib: MNB A wrong K',
    'contrib: GBQ scales short',
    'contrib: EPContext traversal',
    'runtime: MaxPool kernel 0',
    'runtime: AveragePool stride 0',
    'runtime: Einsum bomb',
    'runtime: Resize scale 0',
  ].concat(
    '90#10 292#14 85#19 72#22 80#32 60#38 34#39 0#44 31#45 48#47 66#58 83#62 37#72 80#80 40#90 32#92 247#98 82#102 56#107 91#122 46#127 269#145 79#147'
      .split(' ')
      .map((place) => `mutate: bitflip@${place}`),
  ),
);

/** What ends or hangs onnxruntime through values that are only known when it runs. */
const unforeseeable = new Set([
  'runtime: INT_MIN / -1',
  'runtime: INT64_MIN / -1',
  'runtime: Mod INT_MIN % -1',
]);

describe.runIf(isThere)('malformed models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-malformed-'));
  let cases: Case[] = [];
  const measured = new Map<string, string>();
  beforeAll(() => {
    const preload = fileURLToPath(new URL('withoutFork.ts', import.meta.url));
    const models = join(folder, 'cases');
    const env = { ...process.env, MALFORMED_DIR: models, TMPDIR: folder };
    // With a pattern that every case matches, the script adds those that end the process.
    const args = ['--import', preload, join(corpus, 'generate.mjs'), '.'];
    execFileSync(process.execPath, args, { env, stdio: 'ignore' });
    cases = readJson(join(models, 'results.json')) as Case[];
    const results = readJson(join(corpus, 'results.json')) as (Case & { result: string })[];
    for (const { cat, name, result } of results) measured.set(`${cat}: ${name}`, result);
  }, 5 * 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are refused with typed errors, or accepted as onnxruntime accepts them', () => {
    const differences: string[] = [];
    const counts = new Map<string, number>();
    for (const one of cases) {
      const name = `${one.cat}: ${one.name}`;
      const ours = verdictOf(one);
      const theirs = (measured.get(name) ?? 'not measured').split(' ')[0] ?? '';
      const expected = expectedOf(name, theirs);
      if (!expected.includes(ours)) differences.push(`${name}: ${theirs}, ours ${ours}`);
      const key = `${theirs} / ${ours}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    note(`onnxruntime / ours: ${JSON.stringify(Object.fromEntries(counts))}`);
    expect(differences).toEqual([]);
    expect(cases.length).toBe(measured.size);
  });
});

test('10,000 damaged models are decoded, or refused with a typed error', () => {
  const bytes = encodeModel(smallModel());
  const random = createRandom(2026);
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < 10_000; round += 1) {
    const damaged = mutate(bytes, random);
    try {
      const model = decodeModel(damaged, 'model.onnx');
      checkModel(model, 'model.onnx');
      counts.accepted += 1;
      const written = encodeModel(model);
      expect(encodeModel(decodeModel(written, 'again'))).toEqual(written);
    } catch (error) {
      if (!(error instanceof LatheError)) throw new Error(`round ${round}`, { cause: error });
      counts.refused += 1;
    }
  }
  note(`10,000 damaged models: ${JSON.stringify(counts)}`);
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(1000);
});

function verdictOf({ f, mode }: Case): string {
  try {
    if (mode === 'bytes') {
      return checkModel(decodeModel(new Uint8Array(readFileSync(f)), f), f).length > 0
        ? 'risk'
        : 'accepted';
    }
    const model = loadModel(f);
    try {
      return checkModel(model, f).length > 0 ? 'risk' : 'accepted';
    } finally {
      model.close();
    }
  } catch (error) {
    // Anything else is a bug of ours, and fails the test.
    if (error instanceof LatheError && error.code !== 'internal') return 'refused';
    throw error;
  }
}

function expectedOf(name: string, theirs: string): string[] {
  if (stricter.has(name)) return ['refused'];
  if (lenient.has(name)) return ['accepted'];
  switch (theirs) {
    case 'RAN':
    case 'LOADED':
      return ['accepted'];
    case 'RUN_THROW':
      return ['accepted', 'risk'];
    case 'CRASH':
    case 'TIMEOUT20s':
      return unforeseeable.has(name) ? ['accepted'] : ['refused', 'risk'];
    default:
      return ['refused', 'risk'];
  }
}
