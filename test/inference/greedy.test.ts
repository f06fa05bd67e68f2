import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { generate } from '../../main/inference/generate.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { openTokenizer } from '../../main/tokenizer/tokenizer.ts';
import { generateRequestSchema } from '../../preload/contract/generation.ts';

const folder = join(import.meta.dirname, '../../../shared/data/models/stories260K');
const present = existsSync(folder);
// eslint-disable-next-line no-console -- a suite that does not run says so
if (!present) console.log(`not run, the model is not there: ${folder}`);

describe.runIf(present)('stories260K', () => {
  it.each(['fused', 'plain'] as const)(
    'tells from nothing the story that its authors publish (%s)',
    async (form) => {
      const scratch = mkdtempSync(join(tmpdir(), 'lathe-greedy-'));
      const source = (name: string) => ({
        path: join(folder, name),
        bytes: readFileSync(join(folder, name)),
      });
      const config = source('config.json');
      const tensors = openSafetensors(join(folder, 'model.safetensors'));
      const architecture = architectureOf(
        JSON.parse(new TextDecoder().decode(config.bytes)),
        config.path,
      );
      const file = join(scratch, 'graph.onnx');
      saveModel(architecture.build(tensors, form), file);
      tensors.close();
      const { contextLength } = architecture;
      const decoder = await Decoder.open(file, { threads: 2, device: 'cpu', contextLength });
      const tokenizer = openTokenizer({
        tokenizer: source('tokenizer.json'),
        config: source('tokenizer_config.json'),
        generation: source('generation_config.json'),
        modelConfig: config,
      });
      const request = generateRequestSchema.parse({
        model: folder,
        prompt: { kind: 'completion', text: '' },
        sampling: { temperature: 0 },
        maxTokens: 200,
      });
      let text = '';
      let tokens = 0;
      for await (const event of generate(decoder, tokenizer, request)) {
        if (event.kind === 'token') tokens++;
        if (event.kind === 'finish') ({ text } = event);
      }
      const published = readFileSync(join(folder, 'greedy.txt'), 'utf8');
      const length = Math.min(text.length, published.length);
      expect(tokens).toBe(200);
      expect(text.slice(0, length)).toBe(published.slice(0, length));
      expect(length).toBeGreaterThan(400);
      await decoder.close();
      rmSync(scratch, { recursive: true });
    },
  );
});
