import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../../../preload/contract/bench.ts';
import type { Decoder } from '../../inference/decoder.ts';
import { loadModel } from '../../onnx/load.ts';
import { openLoaded } from './loaded.ts';
import { bytesRead, dropFromPageCache } from './pageCache.ts';
import type { LoadRequest } from './source.ts';

interface Load {
  /** For the caller to close. */
  readonly decoder: Decoder;
  readonly loadMs: number;
}

/** Loads a model as generation does, from its graph in `file`, and times it. */
export async function timeLoad(load: LoadRequest, file: string): Promise<Load> {
  const start = performance.now();
  const { decoder } = await openLoaded(load, file);
  return { decoder, loadMs: performance.now() - start };
}

/**
 * Loads twice: from the disk, as far as the system can be made to forget the files, and from memory.
 * Gives the second decoder.
 */
export async function timeLoads(
  load: LoadRequest,
  file: string,
): Promise<Load & { loads: NonNullable<BenchResult['loads']> }> {
  const weights = filesOf(file);
  const others = ['config.json', 'tokenizer.json'].map((name) => join(load.folder, name));
  const isDropped = await dropFromPageCache([...weights, ...others.filter(existsSync)]);
  const before = bytesRead();
  const cold = await timeLoad(load, file);
  const after = bytesRead();
  await cold.decoder.close();
  const warm = await timeLoad(load, file);
  const read = before === null || after === null ? 0 : after - before;
  const bytes = weights.reduce((sum, path) => sum + statSync(path).size, 0);
  // Embeddings are looked up row by row, so they are not read before they are needed.
  const isCold = isDropped && read >= bytes / 2;
  return {
    decoder: warm.decoder,
    loadMs: cold.loadMs,
    loads: { coldMs: isCold ? cold.loadMs : null, warmMs: warm.loadMs },
  };
}

/** The files that a graph is read from. */
function filesOf(file: string): readonly string[] {
  const model = loadModel(file);
  model.close();
  return model.files;
}
