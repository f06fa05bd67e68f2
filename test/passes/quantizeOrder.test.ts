import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { openCalibration } from '../../main/engine/calibration/calibration.ts';
import { openMultiply } from '../../main/engine/calibration/multiply.ts';
import { readTokenizer } from '../../main/engine/runner/tokenizer.ts';
import { openWeights } from '../../main/formats/weights.ts';
import { resourcesPath } from '../../main/library/resources.ts';
import type { PassContext, PassInput } from '../../main/passes/pass.ts';
import {
  calibrationOptionsSchema,
  type LayerReport,
  type StepInput,
} from '../../preload/contract/recipe.ts';
import { place } from './calibrated.ts';
import { passContext } from './passContext.ts';
import { runStep } from './runDecoder.ts';

/** The model that ships with Lathe, on the text that ships with it. */
let input: PassInput;
let context: PassContext;
let close: () => Promise<void>;

beforeAll(async () => {
  const resources = resourcesPath();
  const folder = join(resources, 'models', 'tiny-stories');
  const config: Record<string, unknown> = JSON.parse(
    readFileSync(join(folder, 'config.json'), 'utf8'),
  );
  const weights = openWeights(folder);
  input = { model: architectureOf(config, 'config.json').build(weights, 'fused'), config };
  const multiply = await openMultiply({ threads: 2, device: 'cpu' });
  const signal = new AbortController().signal;
  const options = calibrationOptionsSchema.parse({ sequences: 16, length: 128 });
  const setup = { ...place, resources, signal, contextLength: 512, hiddenSize: 128 };
  const calibration = openCalibration(options, {
    ...setup,
    tokenizer: await readTokenizer(folder),
  });
  context = passContext({ multiply, calibration: () => Promise.resolve(calibration) });
  close = async () => {
    weights.close();
    await multiply.close();
  };
}, 60_000);

afterAll(() => close());

const run = async (step: StepInput): Promise<readonly LayerReport[]> =>
  (await runStep(input, step, context)).layers;

const share = (layers: readonly unknown[], holds: (index: number) => boolean): number =>
  layers.filter((_, index) => holds(index)).length / layers.length;

test.each([2, 4] as const)(
  'at %i bits GPTQ loses less than rounding in 19 of 20 layers, and never more',
  { timeout: 120_000 },
  async (bits) => {
    for (const groupSize of [32, 128] as const) {
      const layers = await run({ pass: 'quantize-gptq', bits, groupSize });
      expect(layers).toHaveLength(20);
      const errors = layers.map(({ errorBefore, errorAfter, measure }) => {
        expect(measure).toBe('output');
        return [errorBefore ?? NaN, errorAfter ?? NaN];
      });
      expect(share(errors, (i) => errors[i][1] < errors[i][0])).toBeGreaterThanOrEqual(0.95);
      expect(share(errors, (i) => errors[i][1] <= errors[i][0])).toBe(1);
    }
  },
);

test('a smaller group rounds better in at least 95 % of the layers', async () => {
  const sizes = [16, 32, 64, 128] as const;
  const runs: (readonly LayerReport[])[] = [];
  for (const groupSize of sizes) {
    runs.push(await run({ pass: 'quantize-rtn', groupSize, symmetric: false }));
  }
  for (const [at, coarse] of runs.slice(1).entries()) {
    const fine = runs[at];
    const better = share(fine, (i) => Number(fine[i].errorAfter) < Number(coarse[i].errorAfter));
    expect(better).toBeGreaterThanOrEqual(0.95);
  }
});

test('searched scales lose no more than rounding in the measure they search by', async () => {
  const layers = await run({ pass: 'quantize-kquant', symmetric: true });
  const better = share(layers, (i) => Number(layers[i].errorAfter) < Number(layers[i].errorBefore));
  expect(better).toBe(1);
});
