import { LatheError } from '../../../preload/contract/errors.ts';
import type { Progress } from '../../../preload/contract/models.ts';
import { parseData } from '../../evaluation/dataset.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { formatOf } from '../../evaluation/protocols.ts';
import { readFile } from '../../formats/files.ts';
import { progressOf } from '../progress.ts';
import type { EvaluateRequest, Evaluated } from './contract.ts';
import { graphOf } from './graph.ts';
import { openLoaded, type LoadedModel } from './loaded.ts';

/** Larger sets are not for measuring on one machine. */
const MAX_DATA_BYTES = 64 * 2 ** 20;

/** Measures the loaded model; a base is loaded beside it for as long as that takes. */
export async function* evaluateLoaded(
  model: LoadedModel,
  { base, file, request }: EvaluateRequest,
  signal: AbortSignal,
): AsyncGenerator<Progress | Evaluated> {
  const data = parseData(readText(file), file, formatOf(request));
  if (base !== null) yield { kind: 'progress', stage: 'loading the base' };
  const other = base && (await openLoaded(base, await graphOf(base)));
  try {
    const measured = yield* progressOf((report) =>
      evaluate({ model, base: other }, data, request, {
        signal,
        onProgress: (fraction) => report('evaluating', fraction),
      }),
    );
    const results = [...measured].map(([metric, result]) => ({ metric, ...result }));
    yield { kind: 'done', results };
  } finally {
    await other?.decoder.close();
  }
}

function readText(file: string): string {
  const bytes = readFile(file, MAX_DATA_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new LatheError('file_malformed', `data must be UTF-8: ${file}`, { file });
  }
}
