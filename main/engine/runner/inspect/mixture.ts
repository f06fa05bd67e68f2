import { rmSync } from 'node:fs';
import { Decoder } from '../../../inference/decoder.ts';
import { bool } from '../../../inference/session.ts';
import { temporaryFolder } from '../../../library/folders.ts';
import type { Model } from '../../../onnx/model.ts';
import { readDecoder, type Decoder as DecoderGraph } from '../../../passes/decoder.ts';
import type { MixUnit } from '../../../passes/mix.ts';
import { PUT_BACK, switchable } from '../../../passes/switchable.ts';
import { withSession } from '../../calibration/sessions.ts';
import { contextLengthIn, readConfigFile } from '../folder.ts';
import { inputFor } from '../passInput.ts';
import type { LoadRequest } from '../source.ts';
import type { PairRequest } from './compareContract.ts';
import { fusedGraph } from './subjects.ts';

/** Opens the graphs of both models in the fused form, their weights read only when asked for. */
export async function withGraphs<T>(
  { base, variant }: PairRequest,
  use: (base: DecoderGraph, variant: DecoderGraph) => Promise<T>,
): Promise<T> {
  const first = await fusedGraph(base);
  try {
    const second = await fusedGraph(variant);
    try {
      return await use(await readFused(first, base), await readFused(second, variant));
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

async function readFused(model: Model, { folder }: LoadRequest): Promise<DecoderGraph> {
  return readDecoder((await inputFor({ model, config: readConfigFile(folder).json }, [])).model);
}

/** The variant, loaded, and which of its units are put back. */
interface Mixture {
  readonly decoder: Decoder;
  readonly putBack: (units: readonly MixUnit[]) => void;
}

/** Loads both models as one graph that runs any mixture of them. */
export async function withMixtures<T>(
  [base, variant]: readonly [DecoderGraph, DecoderGraph],
  units: readonly MixUnit[],
  { variant: { folder, threads, device, graphs } }: PairRequest,
  use: (mixture: Mixture) => Promise<T>,
): Promise<T> {
  const scratch = temporaryFolder(graphs);
  const chosen = new Uint8Array(units.length);
  try {
    const place = { threads, device, scratch };
    return await withSession(switchable(base, variant, units), place, (session) =>
      use({
        decoder: Decoder.over(session, {
          contextLength: contextLengthIn(folder),
          constant: { [PUT_BACK]: bool(chosen, [units.length]) },
        }),
        putBack: (some) => units.forEach((unit, at) => (chosen[at] = Number(some.includes(unit)))),
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
