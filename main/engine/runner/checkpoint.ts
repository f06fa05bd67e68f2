import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { passReportSchema } from '../../../preload/contract/recipe.ts';
import { createSink, readFile } from '../../formats/files.ts';
import { saveModel } from '../../onnx/save.ts';
import type { PassInput } from '../../passes/pass.ts';
import { graphFile } from '../../library/graphs.ts';
import { openInput, type OpenedInput } from './passInput.ts';

/** Reports of all passes together have some megabytes for the largest models. */
const MAX_CHECKPOINT_BYTES = 256 * 2 ** 20;

const checkpointSchema = z.object({
  /** How many passes of the recipe are done. */
  done: z.int().nonnegative(),
  reports: z.array(passReportSchema),
});
/** How far a job came; written when the result of a pass is complete. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

const passFolder = /^pass-\d+$/;

/** The folder of what the last finished pass gave, within the job's. */
export const keptFolder = (work: string, { done }: Pick<Checkpoint, 'done'>): string =>
  join(work, `pass-${done}`);

const checkpointFile = (work: string): string => join(work, 'checkpoint.json');

/** Where a job that was interrupted goes on; at the beginning where nothing was kept. */
export function readCheckpoint(work: string): Checkpoint {
  const file = checkpointFile(work);
  if (!existsSync(file)) return { done: 0, reports: [] };
  const text = new TextDecoder().decode(readFile(file, MAX_CHECKPOINT_BYTES));
  return checkpointSchema.parse(JSON.parse(text));
}

/** Writes the result of a pass, and when it is complete, that it is. */
export function keepPass(work: string, checkpoint: Checkpoint, output: PassInput): void {
  const folder = keptFolder(work, checkpoint);
  // A run that broke off may have left part of it.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  saveModel(output.model, graphFile(folder));
  writeText(join(folder, 'config.json'), `${JSON.stringify(output.config, null, 2)}\n`);
  writeText(checkpointFile(work), JSON.stringify(checkpoint));
}

/** What the last finished pass gave, as the next one takes it. */
export const openKept = (work: string, checkpoint: Checkpoint): OpenedInput =>
  openInput(keptFolder(work, checkpoint));

/** Deletes what earlier passes gave, once nothing reads it any more. */
export function forgetEarlier(work: string, checkpoint: Checkpoint): void {
  const kept = keptFolder(work, checkpoint);
  for (const name of readdirSync(work)) {
    const folder = join(work, name);
    if (passFolder.test(name) && folder !== kept) rmSync(folder, { recursive: true });
  }
}

function writeText(file: string, text: string): void {
  const sink = createSink(file);
  try {
    sink.write(new TextEncoder().encode(text));
    sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}
