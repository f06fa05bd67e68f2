import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import { modelRecordSchema } from '../../preload/contract/models.ts';
import { roleOf } from './modelFiles.ts';

/** Sizes of the network that decide how much memory it takes. */
export const networkSizesSchema = z.object({
  /** Numbers that all layers together keep per token of context. */
  cachePerToken: z.number().int().positive(),
  hidden: z.number().int().positive(),
  inner: z.number().int().positive(),
  heads: z.number().int().positive(),
  /** Bytes that the weights take in memory, where they are not float32. */
  weightBytes: z.number().int().positive().optional(),
});

export const fileHashSchema = z.object({
  name: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type FileHash = z.infer<typeof fileHashSchema>;

/** What the library keeps about a model: the record, and the exact files it was made from. */
export const manifestSchema = z.object({
  record: modelRecordSchema,
  sizes: networkSizesSchema,
  files: z.array(fileHashSchema),
  /** How a variant was made, as `VariantReport`; another version may have written it otherwise. */
  made: z.looseObject({ job: z.string() }).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

const manifestName = 'lathe.json';

/** The manifest in a model's folder of the library; null where there is none. */
export function readManifest(folder: string): Manifest | null {
  const file = join(folder, manifestName);
  if (!existsSync(file)) return null;
  return parseManifest(readFileSync(file, 'utf8'), file);
}

export function parseManifest(text: string, file: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new LatheError(
      'file_malformed',
      `not a manifest of Lathe: ${file}`,
      { file },
      { cause: error },
    );
  }
}

/** Writes the manifest into a folder that is not published yet. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const fd = openSync(join(folder, manifestName), 'wx');
  try {
    writeFileSync(fd, JSON.stringify(manifest, null, 2));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** sha256 of the one weight file, or over the hashes of several in the order of their names. */
export function weightsHash(files: readonly FileHash[]): string {
  const weights = files.filter((file) => roleOf(file.name) === 'weights');
  const [only] = weights;
  if (weights.length === 1 && only) return only.sha256;
  return hashOfHashes(weights);
}

/** sha256 over everything that decides what a model says: all files but card and licence. */
export const fingerprintOf = (files: readonly FileHash[]): string =>
  hashOfHashes(files.filter((file) => roleOf(file.name) !== 'text'));

function hashOfHashes(files: readonly FileHash[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.name} ${file.sha256}\n`);
  return hash.digest('hex');
}
