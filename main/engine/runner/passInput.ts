import { LatheError } from '../../../preload/contract/errors.ts';
import type { Step } from '../../../preload/contract/recipe.ts';
import { openWeights } from '../../formats/weights.ts';
import { plainMultiply } from '../../numeric/linearAlgebra/multiply.ts';
import { isFused } from '../../passes/decoder.ts';
import { passOf } from '../../passes/index.ts';
import type { PassInput } from '../../passes/pass.ts';
import { readConfig, readConfigFile } from './folder.ts';
import { openGraph, ownGraph } from './onnxFolder.ts';

/** A model as passes take it; weights are read from its files until it is closed. */
export interface OpenedInput extends PassInput {
  close(): void;
}

/** Opens a model folder for passes: the fused graph where it has to be built, else its own. */
export function openInput(folder: string): OpenedInput {
  const file = ownGraph(folder);
  if (file === null) {
    const { json, architecture } = readConfig(folder);
    const tensors = openWeights(folder);
    try {
      const model = architecture.build(tensors, 'fused');
      return { model, config: json, close: () => tensors.close() };
    } catch (error) {
      tensors.close();
      throw error;
    }
  }
  const model = openGraph(folder, file);
  return { model, config: readConfigFile(folder).json, close: () => model.close() };
}

/**
 * The input of a recipe's first pass: passes work on the fused form, so a graph of another is
 * turned into it, unless the recipe begins with that itself.
 */
export async function inputFor(input: PassInput, [first]: readonly Step[]): Promise<PassInput> {
  if (first?.pass === 'fuse' || isFused(input.model)) return input;
  return inForm(input, 'fuse');
}

/** The same model in another form; `graph_invalid` where it is none of the Llama kind. */
export async function inForm(input: PassInput, form: 'fuse' | 'unfuse'): Promise<PassInput> {
  const step = { pass: form };
  const pass = passOf(step);
  if (pass === undefined) {
    throw new LatheError('graph_invalid', `a graph cannot change its form here: ${form}`);
  }
  pass.check(input, step);
  const { model, config } = await pass.run(input, step, {
    signal: new AbortController().signal,
    multiply: plainMultiply,
    seed: 0,
    progress: () => undefined,
    layer: () => undefined,
    calibration: () => Promise.reject(new Error('changing the form needs no calibration')),
  });
  return { model, config };
}
