import type { CompressEstimate, LinearFacts } from '../../../preload/contract/jobs.ts';
import { readDecoder } from '../../passes/decoder.ts';
import { isFloatLinear } from '../../passes/linear.ts';
import { storedSize } from '../../passes/storage.ts';
import { estimateRecipe } from '../../passes/sequence.ts';
import { calibrationFor } from './calibrationFor.ts';
import type { EstimateRequest } from './contract.ts';
import { inputFor, openInput } from './passInput.ts';

/** What a recipe would make of a model; refuses what could not work, without running it. */
export async function estimate(request: EstimateRequest): Promise<CompressEstimate> {
  const opened = openInput(request.folder);
  try {
    const input = await inputFor(opened, request.recipe.passes);
    const never = new AbortController().signal;
    // Nothing is run, so nothing is written there.
    const place = { scratch: request.folder, threads: 1, device: 'cpu' } as const;
    const calibration = await calibrationFor({ ...request, ...place }, input, never);
    return {
      ...estimateRecipe(input, request.recipe),
      calibration: calibration && {
        sequences: calibration.sequences,
        length: calibration.length,
        tokens: calibration.tokens,
        available: calibration.available,
      },
    };
  } finally {
    opened.close();
  }
}

/** The linear layers of a model, with how they are stored now. */
export async function linearTable(folder: string): Promise<LinearFacts[]> {
  const opened = openInput(folder);
  try {
    const { model } = await inputFor(opened, []);
    return readDecoder(model).linears.map((linear) => {
      const { name, block, rows, columns } = linear;
      const isFloat = isFloatLinear(linear);
      return { name, block, rows, columns, isFloat, ...storedSize(model, linear) };
    });
  } finally {
    opened.close();
  }
}
