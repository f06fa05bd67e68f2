import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import { openCalibration } from '../../main/engine/calibration/calibration.ts';
import { openMultiply } from '../../main/engine/calibration/multiply.ts';
import { openWeights } from '../../main/formats/weights.ts';
import type { PassContext, PassInput } from '../../main/passes/pass.ts';
import { openTokenizer, type Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import type { CalibrationOptions } from '../../preload/contract/recipe.ts';
import { passContext } from './passContext.ts';

const resources = join(import.meta.dirname, '..', '..', 'resources');

/** A model of a folder as passes take it, with stories to calibrate on. */
export interface OpenedModel extends PassInput {
  readonly tokenizer: Tokenizer;
  readonly context: PassContext;
  close(): Promise<void>;
}

/** Opens a model folder, by default the model that ships with Lathe. */
export async function openForPasses(
  calibration: Partial<CalibrationOptions> = {},
  folder = join(resources, 'models', 'tiny-stories'),
): Promise<OpenedModel> {
  const file = (name: string) => ({
    path: join(folder, name),
    bytes: readFileSync(join(folder, name)),
  });
  const config: Record<string, unknown> = JSON.parse(
    readFileSync(join(folder, 'config.json'), 'utf8'),
  );
  const tokenizer = openTokenizer({
    tokenizer: file('tokenizer.json'),
    config: file('tokenizer_config.json'),
  });
  const tensors = openWeights(folder);
  const multiply = await openMultiply({ threads: 2, device: 'cpu' });
  const scratch = mkdtempSync(join(tmpdir(), 'lathe-passes-'));
  const { signal } = new AbortController();
  const opened = openCalibration(
    { data: 'stories', sequences: 32, length: 256, seed: 0, ...calibration },
    {
      tokenizer,
      resources,
      scratch,
      signal,
      threads: 2,
      device: 'cpu',
      contextLength: Number(config['max_position_embeddings']),
      hiddenSize: Number(config['hidden_size']),
    },
  );
  return {
    model: architectureOf(config, join(folder, 'config.json')).build(tensors, 'fused'),
    config,
    tokenizer,
    context: passContext({ multiply, signal, calibration: () => Promise.resolve(opened) }),
    close: async () => {
      await multiply.close();
      tensors.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
