import type { Device } from '../../../preload/contract/system.ts';
import { needsCalibration, type Recipe } from '../../../preload/contract/recipe.ts';
import { readDecoder } from '../../passes/decoder.ts';
import type { PassInput } from '../../passes/pass.ts';
import { openCalibration, type OpenedCalibration } from '../calibration/calibration.ts';
import { contextLengthOf } from './onnxFolder.ts';
import { inputFor } from './passInput.ts';
import { readTokenizer } from './tokenizer.ts';

/** What a recipe's calibration is opened with. */
export interface CalibrationNeeds {
  /** The model's folder: its tokenizer cuts the text. */
  readonly folder: string;
  readonly recipe: Recipe;
  /** The folder of what ships with Lathe. */
  readonly resources: string;
  /** A folder for files that go when the job ends. */
  readonly scratch: string;
  readonly threads: number;
  readonly device: Device;
}

/**
 * The calibration text of a recipe, checked before any work; null where no step looks at it.
 */
export async function calibrationFor(
  { folder, recipe, ...place }: CalibrationNeeds,
  input: PassInput,
  signal: AbortSignal,
): Promise<OpenedCalibration | null> {
  if (!recipe.passes.some(needsCalibration)) return null;
  const { model, config } = await inputFor(input, []);
  return openCalibration(recipe.calibration, {
    ...place,
    tokenizer: await readTokenizer(folder),
    contextLength: contextLengthOf(model, config),
    hiddenSize: readDecoder(model).hiddenSize,
    signal,
  });
}
