/**
 * Child process of quantize.ts: runs one recipe on the synthetic model S and writes the result, so
 * that time and memory are its own. Arguments: recipe name, target file. Sends what it measured
 * to whoever forked it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import { runCalibration } from '../../main/engine/calibration/calibration.ts';
import { openMultiply } from '../../main/engine/calibration/multiply.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { resourcesPath } from '../../main/library/resources.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { recipeSchema } from '../../preload/contract/recipe.ts';
import { configS } from './modelS.ts';

/** What the child found. */
export interface SizedRun {
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly passes: readonly { readonly pass: string; readonly seconds: number }[];
}

const [, , name, target] = process.argv;
const bench = join(import.meta.dirname, '..', '..', '.bench');
const options = { threads: 2, device: 'cpu' } as const;
const { signal } = new AbortController();

const tensors = openSafetensors(join(bench, 'S', 'model.safetensors'));
const model = architectureOf(configS, 'config.json').build(tensors, 'fused');
const file = join(resourcesPath(), 'recipes', `${name}.json`);
const recipe = recipeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
const { sequences: count, length } = recipe.calibration;
const random = createRandom(1);
// S has no tokenizer: any tokens exercise it alike.
const ids = Array.from({ length: count }, () =>
  Array.from({ length }, () => Math.floor(random.next() * configS.vocab_size)),
);
mkdirSync(dirname(target), { recursive: true });
const scratch = mkdtempSync(join(dirname(target), 'scratch-'));
const before = process.cpuUsage();
const started = performance.now();
const multiply = await openMultiply(options);
const sequences = { ids, length, available: count * length };
const calibration = runCalibration(sequences, { ...options, scratch }, signal);
const passes: { pass: string; seconds: number }[] = [];
const result = await runRecipe({ model, config: configS }, recipe, {
  signal,
  multiply,
  seed: 0,
  layer: () => {},
  calibration: () => Promise.resolve(calibration),
  progress: (fraction, _, detail) => process.stderr.write(`${fraction.toFixed(3)} ${detail}\n`),
  onPassDone: (_, __, { step, seconds }) => void passes.push({ pass: step.pass, seconds }),
});
saveModel(result.model, target);
const { user, system } = process.cpuUsage(before);
const run: SizedRun = {
  seconds: (performance.now() - started) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  passes,
};
await multiply.close();
tensors.close();
rmSync(scratch, { recursive: true });
process.send?.(run);
process.disconnect?.();
