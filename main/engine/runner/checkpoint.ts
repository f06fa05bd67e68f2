import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { passReportSchema } from '../../../preload/contract/recipe.ts';
import { readFile, writeText } from '../../formats/files.ts';
import { saveModel } from '../../onnx/save.ts';
import type { PassInput } from '../../passes/pass.ts';
import { graphFile } from '../../library/graphs.ts';
import { openInput, type OpenedInput } from './passInput.ts';

/** Reports of all passes together have some megabytes for the largest models. */
const MAX_CHECKPOINT_BYTES = 256 * 2 ** 20;

const checkpointSchema = z.object({
  /** How many passes of the recipe are done. */
  done: z.int().nonnegative(),
  /** Behind which of them the model was last written; 0: it is still the one that came in. */
  kept: z.int().nonnegative(),
  reports: z.array(passReportSchema),
});
/** How far a job came; written when the result of a pass is complete. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

const passFolder = /^pass-\d+$/;

/** The folder of what the last pass that changed the model gave, within the job's. */
export const keptFolder = (work: string, { kept }: Pick<Checkpoint, 'kept'>): string =>
  join(work, `pass-${kept}`);

const checkpointFile = (work: string): string => join(work, 'checkpoint.json');

/** Where a job that was interrupted goes on; at the beginning where nothing was kept. */
export function readCheckpoint(work: string): Checkpoint {
  const file = checkpointFile(work);
  if (!existsSync(file)) return { done: 0, kept: 0, reports: [] };
  const text = new TextDecoder().decode(readFile(file, MAX_CHECKPOINT_BYTES));
  return checkpointSchema.parse(JSON.parse(text));
}

/** Writes the result of a pass, where it is another than before, and then that it is complete. */
export function keepPass(work: string, checkpoint: Checkpoint, output: PassInput): void {
  if (checkpoint.kept === checkpoint.done) writeResult(work, checkpoint, output);
  writeText(checkpointFile(work), JSON.stringify(checkpoint));
}

function writeResult(work: string, checkpoint: Checkpoint, output: PassInput): void {
  const folder = keptFolder(work, checkpoint);
  // A run that broke off may have left part of it.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  saveModel(output.model, graphFile(folder));
  writeText(join(folder, 'config.json'), `${JSON.stringify(output.config, null, 2)}\n`);
}

/** What was written last, as the next pass takes it. */
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
