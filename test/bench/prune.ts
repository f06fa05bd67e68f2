/**
 * `npm run bench:prune`: decode speed of the synthetic model S with a quarter of its heads and
 * neurons cut out, beside the whole model. Both are loaded at once and take turns; the ratio is the
 * median over neighbours in time, and must be above 1. Zeroing half of all weights is timed the same
 * way and is expected to bring nothing.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import { physicalCores } from '../../main/engine/machine.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { plainMultiply } from '../../main/numeric/linearAlgebra/multiply.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { weightBytes } from '../../main/passes/edit.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { recipeSchema, type StepInput } from '../../preload/contract/recipe.ts';
import { configS, writeModelS } from './modelS.ts';
import { quarterCut } from './pruneRows.ts';

const folder = join(import.meta.dirname, '..', '..', '.bench');
const rounds = 12;
const stepsPerTurn = 16;
const prompt = Array.from({ length: 128 }, (_, at) => 3 + ((at * 7919) % 31_000));

/** By weights alone: S is random, so no text says more about it. */
const byWeights = quarterCut.map((step) => ({ ...step, criterion: 'magnitude' }) as StepInput);
const recipes: Record<string, readonly StepInput[]> = {
  whole: [],
  'a quarter of heads and neurons cut': byWeights,
  'half of all weights zeroed': [{ pass: 'prune-magnitude', sparsity: 0.5, scope: 'row' }],
};

const decoders = new Map<string, Decoder>();
for (const [name, passes] of Object.entries(recipes)) {
  decoders.set(
    name,
    await Decoder.open(await prepare(name, passes), {
      threads: physicalCores(),
      device: 'cpu',
      contextLength: 1024,
    }),
  );
}
const times = new Map<string, number[]>([...decoders.keys()].map((name) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  // Who goes first changes, so that none always follows the same other.
  const order = [...decoders].map((_, at, all) => all[(at + round) % all.length]);
  for (const [name, decoder] of order) {
    const ms = await turn(decoder);
    // The first round warms up.
    if (round > 0) times.get(name)?.push(ms);
  }
}
const whole = times.get('whole') ?? [];
const ratios = new Map<string, number>();
for (const [name, ms] of times) {
  const ratio = median(ms.map((one, round) => whole[round] / one));
  ratios.set(name, ratio);
  console.log(`${name}: ${median(ms).toFixed(2)} ms a token, ${ratio.toFixed(3)} × as fast`);
}
for (const decoder of decoders.values()) await decoder.close();
const faster = (ratios.get('a quarter of heads and neurons cut') ?? 0) > 1;
console.log(faster ? 'goal met: cutting is faster' : 'GOAL MISSED: cutting is not faster');
process.exitCode = faster ? 0 : 1;

/** Milliseconds a token, median of one turn behind the prompt. */
async function turn(decoder: Decoder): Promise<number> {
  decoder.rewind(0);
  await decoder.prefill(prompt);
  const samples: number[] = [];
  for (let step = 0; step < stepsPerTurn; step++) {
    const start = performance.now();
    await decoder.step(prompt[step]);
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** The graph of S after some passes, written once. */
async function prepare(name: string, passes: readonly StepInput[]): Promise<string> {
  const file = join(folder, 'pruned', name, 'model.onnx');
  if (existsSync(file)) return file;
  mkdirSync(join(folder, 'pruned', name), { recursive: true });
  writeModelS(join(folder, 'S'));
  const tensors = openSafetensors(join(folder, 'S', 'model.safetensors'));
  const model = architectureOf(configS, 'config.json').build(tensors, 'fused');
  const result =
    passes.length === 0
      ? { model }
      : await runRecipe({ model, config: configS }, recipeSchema.parse({ name, passes }), {
          signal: new AbortController().signal,
          multiply: plainMultiply,
          seed: 0,
          calibration: () => Promise.reject(new Error('nothing here calibrates')),
          progress: () => {},
          layer: () => {},
        });
  saveModel(result.model, file);
  console.log(`${name}: ${(weightBytes(result.model) / 1e6).toFixed(1)} MB`);
  tensors.close();
  return file;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
