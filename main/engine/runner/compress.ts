import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { PassReport } from '../../../preload/contract/recipe.ts';
import { Decoder } from '../../inference/decoder.ts';
import { graphFile } from '../../library/graphs.ts';
import type { PassInput } from '../../passes/pass.ts';
import { runRecipe } from '../../passes/sequence.ts';
import { openMultiply } from '../calibration/multiply.ts';
import { calibrationFor } from './calibrationFor.ts';
import { forgetEarlier, keepPass, keptFolder, openKept, readCheckpoint } from './checkpoint.ts';
import type { CompressRequest, CompressTold } from './contract.ts';
import { inputFor, openInput } from './passInput.ts';
import { clock, telling } from './telling.ts';

/**
 * Runs a recipe on a model folder and keeps the result of every pass in the job's own folder, so
 * that a run which broke off goes on behind the last one, with the same bytes in the end. Ends with
 * the folder of the result, which the runtime has loaded and run once.
 */
export async function* compress(
  request: CompressRequest,
  signal: AbortSignal,
): AsyncGenerator<CompressTold> {
  const first: CompressTold = { kind: 'progress', fraction: 0, step: null, detail: 'reading' };
  yield* telling<CompressTold>(first, (tell) => runAll(request, signal, tell));
}

async function runAll(
  request: CompressRequest,
  signal: AbortSignal,
  tell: (event: CompressTold) => void,
): Promise<CompressTold> {
  const { folder, work, recipe, threads } = request;
  const begin = readCheckpoint(work);
  tell({ kind: 'started', passes: begin.reports });
  const scratch = join(work, 'scratch');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const multiply = await openMultiply({ threads, device: 'cpu' });
  let opened = begin.kept === 0 ? openInput(folder) : openKept(work, begin);
  try {
    const input = begin.kept === 0 ? await inputFor(opened, recipe.passes) : opened;
    let current: PassInput = input;
    let { kept } = begin;
    const calibration = await calibrationFor({ ...request, scratch }, input, signal);
    const remaining = clock();
    const reports: PassReport[] = [...begin.reports];
    const context = {
      signal,
      multiply,
      seed: recipe.calibration.seed,
      async calibration() {
        if (calibration) return calibration;
        throw new Error('a pass asked for calibration that needsCalibration does not know of');
      },
      progress: (fraction: number, step: number, detail: string) =>
        tell({ kind: 'progress', fraction, step, detail, ...remaining(fraction) }),
      layer: (step: number, report: PassReport['layers'][number]) =>
        tell({ kind: 'layer', step, report }),
      onPassDone(step: number, output: PassInput, report: PassReport) {
        reports.push(report);
        const done = step + 1;
        const isSame = output.model === current.model && output.config === current.config;
        // What a pass left as it was need not be written, but the end must be.
        if (!isSame || (kept === 0 && done === recipe.passes.length)) kept = done;
        const checkpoint = { done, kept, reports };
        keepPass(work, checkpoint, output);
        if (kept === done) {
          const before = opened;
          opened = openKept(work, checkpoint);
          before.close();
          current = opened;
          forgetEarlier(work, checkpoint);
        }
        tell({ kind: 'pass', step, report });
        return current;
      },
    };
    await runRecipe(input, recipe, context, { from: begin.done, reports: begin.reports });
    tell({ kind: 'progress', fraction: 1, step: null, detail: 'running the result once' });
    const result = keptFolder(work, { kept });
    await probe(graphFile(result), request);
    return { kind: 'done', folder: result };
  } finally {
    await multiply.close();
    opened.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs two tokens: a variant that the runtime refuses, or that gives NaN, is not published. */
async function probe(file: string, { threads, device }: CompressRequest): Promise<void> {
  const decoder = await Decoder.open(file, { threads, device, contextLength: 2 });
  try {
    const logits = await decoder.prefill([0, 1]);
    if (logits.every((logit) => Number.isFinite(logit))) return;
    throw new LatheError('values_not_finite', 'the result gives logits that are no numbers', {
      file,
      tensor: 'logits',
    });
  } finally {
    await decoder.close();
  }
}
