import type { Progress } from '../../../preload/contract/models.ts';
import { LatheError } from '../../../preload/contract/errors.ts';
import { Decoder } from '../../inference/decoder.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { Loaded } from './contract.ts';
import { contextLengthIn } from './folder.ts';
import { graphOf } from './graph.ts';
import { saturationWarning, signedBytesSaturate } from './saturation.ts';
import { ownGraph } from './onnxFolder.ts';
import type { LoadRequest } from './source.ts';
import { readTokenizer } from './tokenizer.ts';

/** The model that this process holds, at most one. */
export interface LoadedModel {
  readonly request: LoadRequest;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}

export interface ModelHolder {
  /**
   * Loads a model in place of the one before; nothing happens when it is the same. `makeRoom` is
   * called when the one before is gone.
   */
  load(request: LoadRequest, makeRoom: () => Promise<void>): AsyncGenerator<Progress | Loaded>;
  /** Throws when nothing was loaded. */
  get(): LoadedModel;
  /** Frees the model; the next load brings it back. */
  release(): Promise<void>;
}

/** For the log: the fast way depends on how this version of the runtime's binding works. */
const slowCache =
  'the key-value cache is copied at every token: this runtime cannot extend it in place\n';

/** Opens a graph file and the tokenizer beside its model; the caller closes the decoder. */
export async function openLoaded(request: LoadRequest, file: string): Promise<LoadedModel> {
  const tokenizer = await readTokenizer(request.folder);
  const decoder = await Decoder.open(file, {
    contextLength: contextLengthIn(request.folder),
    threads: request.threads,
    device: request.device,
  });
  return { request, decoder, tokenizer };
}

export function createHolder(): ModelHolder {
  let held: LoadedModel | null = null;
  return {
    async *load(request, makeRoom) {
      const key = JSON.stringify(request);
      if (held && JSON.stringify(held.request) === key) {
        yield { kind: 'loaded', loadMs: 0, fastCache: held.decoder.fastCache };
        return;
      }
      const start = performance.now();
      const before = held;
      held = null;
      await before?.decoder.close();
      await makeRoom();
      yield { kind: 'progress', stage: 'preparing the graph' };
      const file = await graphOf(request);
      yield { kind: 'progress', stage: 'loading the model' };
      const { decoder } = (held = await openLoaded(request, file));
      // A graph that others wrote has a cache of its own kind.
      const isOurs = request.form === 'fused' && ownGraph(request.folder) === null;
      if (isOurs && !decoder.fastCache) process.stderr.write(slowCache);
      if (await signedBytesSaturate()) process.stderr.write(saturationWarning);
      yield { kind: 'loaded', loadMs: performance.now() - start, fastCache: decoder.fastCache };
    },
    get() {
      if (held) return held;
      throw new LatheError('internal', 'no model was loaded into this runner');
    },
    async release() {
      const before = held;
      held = null;
      await before?.decoder.close();
    },
  };
}
