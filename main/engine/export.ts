import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import type {
  ExportedFile,
  ExportEvent,
  ExportRequest,
  ExportResult,
} from '../../preload/contract/export.ts';
import { variantReportSchema } from '../../preload/contract/jobs.ts';
import { modelCard } from '../export/card.ts';
import { readFile, writeText } from '../formats/files.ts';
import { checkSpace, copyDurably } from '../library/copy.ts';
import { isCode, placing, publishFolder, temporaryFolder } from '../library/folders.ts';
import { hashFile } from '../library/hashes.ts';
import { writeManifest, type Manifest } from '../library/manifest.ts';
import { modelFiles, roleOf } from '../library/modelFiles.ts';
import { opening } from './openModel.ts';
import { inOwnRunner, type Workshop } from './ownRunner.ts';
import { progressOf } from './progress.ts';
import { systemInfo } from './system.ts';

type Report = (stage: string, fraction: number) => void;

/** The longest model cards have some hundred kilobytes. */
const MAX_CARD_BYTES = 4 * 2 ** 20;

const cardName = 'README.md';

/**
 * Writes a model into a folder that runs elsewhere. It is made beside its place under a temporary
 * name and takes its own in one step; whatever ends it before leaves nothing.
 */
export async function* exportModel(
  workshop: Workshop,
  request: ExportRequest,
  reader?: AbortSignal,
): AsyncGenerator<ExportEvent> {
  const target = freeFolder(request.folder);
  const manifest = yield* opening(workshop.core, request.model, reader);
  const left = new AbortController();
  const signal = reader ? AbortSignal.any([reader, left.signal]) : left.signal;
  const place = openPlace(target);
  let running: Promise<unknown> = Promise.resolve();
  try {
    const files = yield* progressOf((report) => {
      const work = writeAll(
        workshop,
        { request, manifest, folder: place.temporary },
        report,
        signal,
      );
      running = work.catch(() => undefined);
      return work;
    });
    signal.throwIfAborted();
    place.publish();
    yield { kind: 'done', format: request.format, folder: target, files };
  } finally {
    // Who stopped reading early does not want the rest; nothing writes any more when it is deleted.
    left.abort();
    await running;
    place.close();
  }
}

interface Writing {
  readonly request: ExportRequest;
  readonly manifest: Manifest;
  readonly folder: string;
}

async function writeAll(
  workshop: Workshop,
  writing: Writing,
  report: Report,
  signal: AbortSignal,
): Promise<ExportResult['files']> {
  const { request, manifest, folder } = writing;
  const { format } = request;
  const { record } = manifest;
  const half = 2 * record.parameters;
  await checkSpace(folder, format === 'safetensors-f16' ? half : record.bytes);
  if (format !== 'lathe') await writeComputed(workshop, { ...writing, format }, report, signal);
  await copyRest(writing, report, signal);
  const files = await hashAll(folder, report, signal);
  const card = modelCard({
    format,
    record,
    files,
    made: madeOf(manifest),
    versions: versionsOf(workshop),
    original: cardOf(record.folder),
  });
  writeText(join(folder, cardName), card);
  if (format === 'lathe') {
    // Where the folder lies is nobody else's business.
    const own = { ...manifest, record: { ...record, folder: '.' } };
    writeManifest(folder, {
      ...own,
      files: files.map(({ path, ...file }) => ({ name: path, ...file })),
    });
  }
  const rest = await hashAll(folder, report, signal, files);
  return rest.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Files that have to be computed are written by a process that may fail with what it reads. */
async function writeComputed(
  workshop: Workshop,
  { format, manifest, folder }: Writing & { format: Exclude<ExportRequest['format'], 'lathe'> },
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { record } = manifest;
  const passes = madeOf(manifest)?.passes.map(({ step }) => step.pass) ?? [];
  const asked = { folder: record.folder, format, target: folder, passes };
  await inOwnRunner(workshop, record.name, signal, async (runner) => {
    for await (const event of runner.stream('compressing', (client) => client.export(asked))) {
      if (event.kind === 'progress') report(event.stage, event.fraction ?? 0);
    }
  });
}

/** Copies what belongs to the model and was not written anew: tokenizer, licence; for Lathe, all. */
async function copyRest(
  { request, manifest, folder }: Writing,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const source = manifest.record.folder;
  const files = modelFiles(source).filter(({ name, role }) => {
    if (isCard(name)) return false;
    if (request.format === 'lathe') return true;
    const speaksOfWeights = role === 'weights' || name === 'model.safetensors.index.json';
    return !speaksOfWeights && !existsSync(join(folder, name));
  });
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const onBytes = (count: number): void => report('copying', (done += count) / total);
  for (const { name } of files) {
    signal.throwIfAborted();
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    await copyDurably(join(source, name), join(folder, name), { signal, onBytes });
  }
}

/** Every file of a folder with its hash; those that are known are not read again. */
async function hashAll(
  folder: string,
  report: Report,
  signal: AbortSignal,
  known: readonly ExportedFile[] = [],
): Promise<ExportedFile[]> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => !known.some(({ path }) => path === name))
    .map((path) => ({ path, bytes: lstatSync(join(folder, path)).size }));
  const total = names.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const onBytes = (count: number): void => report('checking files', (done += count) / total);
  const files = [...known];
  for (const file of names) {
    const sha256 = await hashFile(join(folder, file.path), { signal, onBytes });
    files.push({ ...file, sha256 });
  }
  return files;
}

function versionsOf({ core }: Workshop): Record<string, string> {
  const { version, node, onnxruntime } = systemInfo(core);
  return { lathe: version, node, onnxruntime };
}

/** How the model was made, where this version can read what was written down of it. */
function madeOf({ made }: Manifest) {
  return variantReportSchema.safeParse(made).data ?? null;
}

const isCard = (name: string): boolean => roleOf(name) === 'text' && /^readme/i.test(name);

function cardOf(folder: string): string | null {
  const card = modelFiles(folder).find(({ name }) => isCard(name));
  if (card === undefined) return null;
  return new TextDecoder().decode(readFile(join(folder, card.name), MAX_CARD_BYTES));
}

/** The folder to write; it must not be there, or be empty. */
function freeFolder(path: string): string {
  if (!isAbsolute(path)) {
    throw new LatheError('usage', `the folder to export to must be absolute: ${path}`, {
      value: path,
    });
  }
  const target = resolve(path);
  const isFree = placing(target, () => {
    const stat = lstatSync(target, { throwIfNoEntry: false });
    return stat === undefined || (stat.isDirectory() && readdirSync(target).length === 0);
  });
  if (isFree) return target;
  throw new LatheError(
    'already_exists',
    `the folder to export to must be new or empty: ${target}`,
    { file: target },
  );
}

/** A temporary folder beside the place that a folder is to have; parents are made as needed. */
function openPlace(target: string) {
  const parent = dirname(target);
  const made = placing(parent, () => mkdirSync(parent, { recursive: true }));
  const beside = realpathSync(parent);
  const temporary = placing(parent, () => temporaryFolder(beside));
  let published = false;
  return {
    temporary,
    publish() {
      const place = join(beside, basename(target));
      if (existsSync(place)) rmdirSync(place);
      if (!publishFolder(temporary, place)) {
        throw new LatheError('already_exists', `a folder was made here meanwhile: ${target}`, {
          file: target,
        });
      }
      published = true;
    },
    close() {
      rmSync(temporary, { recursive: true, force: true });
      if (!published && made !== undefined) removeEmpty(parent, made);
    },
  };
}

/** Removes folders that are empty, from `folder` up to `top`. */
function removeEmpty(folder: string, top: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Somebody has put something there.
    if (isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
    throw error;
  }
  if (folder !== top) removeEmpty(dirname(folder), top);
}
