import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphForm } from '../../preload/contract/models.ts';
import {
  diskError,
  isCode,
  isTemporary,
  publishFolder,
  sweep,
  temporaryFolder,
} from './folders.ts';

/** Built graphs hold the weights again, as float32: beyond this the ones unused longest go. */
const defaultLimit = 32 * 2 ** 30;

/** What a graph is made from; equal recipes make equal graphs. */
export interface GraphRecipe {
  /** config.json, byte for byte. */
  readonly config: Uint8Array;
  /** sha256 over the weight files. */
  readonly weights: string;
  readonly form: GraphForm;
  /** Changes whenever the code that builds graphs does. */
  readonly builder: string;
}

export function graphKey(recipe: GraphRecipe): string {
  return createHash('sha256')
    .update(recipe.config)
    .update(`\n${recipe.weights}\n${recipe.form}\n${recipe.builder}`)
    .digest('hex');
}

export const graphFile = (folder: string): string => join(folder, 'model.onnx');

/**
 * The folder of a built graph, from the cache, or built now by `build` (which writes into the
 * folder it is given). Two builders at once do no harm: the first to finish wins, and both use
 * its result. What failed or was interrupted leaves no graph behind.
 */
export async function cachedGraph(
  root: string,
  key: string,
  build: (folder: string) => void | Promise<void>,
  limit = defaultLimit,
): Promise<string> {
  const folder = join(root, key);
  if (existsSync(graphFile(folder))) {
    const now = new Date();
    utimesSync(folder, now, now);
    return folder;
  }
  sweep(root);
  const temporary = temporaryFolder(root);
  try {
    await build(temporary);
    publishFolder(temporary, folder);
  } catch (error) {
    throw diskError(error, temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  evict(root, key, limit);
  return folder;
}

/** Removes the graphs used longest ago until the rest fits; the newest one always stays. */
function evict(root: string, keep: string, limit: number): void {
  const graphs = readdirSync(root)
    .filter((name) => !isTemporary(name))
    .map((name) => ({ name, ...sizeAndAge(join(root, name)) }))
    .toSorted((a, b) => b.usedAt - a.usedAt);
  let total = graphs.find((graph) => graph.name === keep)?.bytes ?? 0;
  for (const graph of graphs) {
    if (graph.name === keep) continue;
    total += graph.bytes;
    if (total > limit) removeUnused(join(root, graph.name));
  }
}

function removeUnused(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    // Windows keeps files that a runner has open; they go at another time.
    if (!isCode(error, 'EBUSY', 'EPERM', 'ENOTEMPTY')) throw error;
  }
}

function sizeAndAge(folder: string): { bytes: number; usedAt: number } {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return { bytes: stat?.size ?? 0, usedAt: stat?.mtimeMs ?? 0 };
  const bytes = readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  return { bytes, usedAt: stat.mtimeMs };
}
