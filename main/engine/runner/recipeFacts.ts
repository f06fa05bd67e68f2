import type { CompressEstimate, LinearFacts } from '../../../preload/contract/jobs.ts';
import { readDecoder } from '../../passes/decoder.ts';
import { isFloatLinear } from '../../passes/linear.ts';
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
    const { initializers } = model.graph;
    return readDecoder(model).linears.map((linear) => {
      const { name, block, rows, columns, nodes } = linear;
      const constants = new Set(nodes.flatMap(({ inputs }) => inputs));
      let bytes = 0;
      for (const constant of constants) bytes += initializers.get(constant)?.bytes.length ?? 0;
      const bits = (8 * bytes) / (rows * columns);
      return { name, block, rows, columns, isFloat: isFloatLinear(linear), bits, bytes };
    });
  } finally {
    opened.close();
  }
}
