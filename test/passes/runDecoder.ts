import { rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decoder } from '../../main/inference/decoder.ts';
import type { Tensors } from '../../main/inference/session.ts';
import type { Model } from '../../main/onnx/model.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { stepSchema, type Step, type StepInput } from '../../preload/contract/recipe.ts';
import { passOf } from '../../main/passes/index.ts';
import type { PassContext, PassInput, PassOutput } from '../../main/passes/pass.ts';

/** Logits of all positions of a prompt, and a greedy continuation, as the product runs a file. */
export async function runDecoder(
  model: Model,
  prompt: readonly number[] = [1, 5, 9, 2, 30, 17, 8, 21],
  constant: Tensors = {},
): Promise<{ logits: Float32Array; story: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-run-'));
  const file = join(folder, 'model.onnx');
  saveModel(model, file);
  const options = { threads: 1, device: 'cpu', contextLength: 64, constant } as const;
  const decoder = await Decoder.open(file, options);
  try {
    const logits = (await decoder.logits(prompt)).data.slice();
    decoder.rewind(0);
    const story: number[] = [];
    let next = await decoder.prefill(prompt);
    for (let token = 0; token < 6; token++) {
      const id = next.reduce((best, logit, at) => (logit > next[best] ? at : best), 0);
      story.push(id);
      next = await decoder.step(id);
    }
    return { logits, story };
  } finally {
    await decoder.close();
    rmSync(folder, { recursive: true });
  }
}

/** Checks and runs one step as a recipe would, options filled up. */
export async function runStep(
  input: PassInput,
  options: StepInput,
  context: PassContext,
): Promise<PassOutput> {
  const step = stepSchema.parse(options);
  const pass = passFor(step);
  pass.check(input, step);
  return pass.run(input, step, context);
}

/** The pass of a step. */
export function passFor(step: Step): NonNullable<ReturnType<typeof passOf>> {
  const pass = passOf(step);
  if (pass === undefined) throw new Error(`no such pass: ${step.pass}`);
  return pass;
}

/** ‖a - b‖ / ‖a‖. */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
  let power = 0;
  let noise = 0;
  a.forEach((value, i) => {
    power += value * value;
    noise += (value - b[i]) ** 2;
  });
  return Math.sqrt(noise / power);
}
