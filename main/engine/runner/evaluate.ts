import { LatheError } from '../../../preload/contract/errors.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { readData } from '../evaluationData.ts';
import type { EvaluateRequest, EvaluateTold } from './contract.ts';
import { graphOf } from './graph.ts';
import { openReadings } from './keptReadings.ts';
import { openLoaded, type LoadedModel } from './loaded.ts';
import { clock, telling } from './telling.ts';

/**
 * Measures the loaded model; a base is loaded beside it for as long as that takes. What was read of
 * an item is kept in the job's folder, so that a run which broke off goes on behind it.
 */
export async function* evaluateLoaded(
  model: LoadedModel,
  request: EvaluateRequest,
  signal: AbortSignal,
): AsyncGenerator<EvaluateTold> {
  const first: EvaluateTold = { kind: 'progress', fraction: 0, step: null, detail: 'reading data' };
  yield* telling<EvaluateTold>(first, (tell) => measure(model, request, signal, tell));
}

async function measure(
  model: LoadedModel,
  { base, file, dataSha256, request, work, key }: EvaluateRequest,
  signal: AbortSignal,
  tell: (event: EvaluateTold) => void,
): Promise<EvaluateTold> {
  const { data, sha256 } = readData(file, request);
  if (sha256 !== dataSha256) {
    throw new LatheError('file_changed', `the data changed while they were read: ${file}`, {
      file,
    });
  }
  const progress = (fraction: number, detail: string, remaining = {}): void =>
    tell({ kind: 'progress', fraction, step: null, detail, ...remaining });
  if (base !== null) progress(0, 'loading the base');
  const other = base && (await openLoaded(base, await graphOf(base)));
  const kept = openReadings(work, key);
  try {
    tell({ kind: 'started', items: kept.readings.length });
    const remaining = clock();
    const measured = await evaluate({ model, base: other }, data, request, {
      signal,
      kept,
      onProgress: (fraction, detail) => progress(fraction, detail, remaining(fraction)),
    });
    const results = [...measured].map(([metric, result]) => ({ metric, ...result }));
    return { kind: 'done', results };
  } finally {
    kept.close();
    await other?.decoder.close();
  }
}
