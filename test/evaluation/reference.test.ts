import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { readTokenizer } from '../../main/engine/runner/tokenizer.ts';
import { limited, parseData } from '../../main/evaluation/dataset.ts';
import { evaluate } from '../../main/evaluation/evaluate.ts';
import { openWeights } from '../../main/formats/weights.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { float64Tensors } from '../architectures/compare.ts';
import { referenceLlama } from '../architectures/referenceLlama.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';

const shared = join(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(join(shared, 'models/stories260K'));
if (!isThere) process.stderr.write('not run, ../shared is not there: perplexity of stories260K\n');

const scratch = mkdtempSync(join(tmpdir(), 'lathe-evaluation-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Of a token, by the softmax of its row. */
function logProbability(row: Float64Array, id: number): number {
  const most = row.reduce((a, b) => Math.max(a, b));
  return row[id] - most - Math.log(row.reduce((all, logit) => all + Math.exp(logit - most), 0));
}

/** Perplexity as the product measures it, and from the float64 forward pass written apart. */
async function perplexities(folder: string, texts: readonly string[]) {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const weights = openWeights(folder);
  const architecture = architectureOf(config, 'config.json');
  const file = join(scratch, 'model.onnx');
  saveModel(architecture.build(weights, 'fused'), file);
  const { contextLength, vocabularySize } = architecture;
  const decoder = await Decoder.open(file, { contextLength, threads: 1, device: 'cpu' });
  const tokenizer = await readTokenizer(folder);
  const found = await evaluate(
    { model: { decoder, tokenizer }, base: null },
    { kind: 'documents', items: texts.map((text) => ({ text })) },
    { metrics: ['perplexity'], long: 'slide', seed: 0, fields: {} },
  );
  await decoder.close();
  let nats = 0;
  let tokens = 0;
  const window = Math.min(512, contextLength);
  const tensors = float64Tensors(weights);
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    // Every token is scored once, behind half a window of others at least where it has so many.
    for (let from = 1, end = window; from < ids.length; from = end, end += window / 2) {
      const read = ids.slice(Math.max(0, Math.min(end, ids.length) - window), end).slice(0, -1);
      const logits = referenceLlama(config, tensors, read).get('logits')!.data;
      for (let at = from; at < Math.min(end, ids.length); at++) {
        const row = read.length - Math.min(end, ids.length) + at;
        nats -= logProbability(
          logits.subarray(row * vocabularySize).slice(0, vocabularySize),
          ids[at],
        );
        tokens++;
      }
    }
  }
  weights.close();
  return { found: found.get('perplexity')?.value, expected: Math.exp(nats / tokens) };
}

test('perplexity of a random model equals an independent float64 computation', async () => {
  const folder = join(scratch, 'tiny');
  writeTinyLlama(folder, { keyValueHeads: 2 });
  // The last one is longer than the context of 128 tokens.
  const long = 'Nobody came, and the sea was cold. '.repeat(9);
  const texts = ['Tom went to the sea.', 'The café was cold, and nobody came.', 'A', long];
  const { found, expected } = await perplexities(folder, texts);
  expect(found! / expected).toBeCloseTo(1, 5);
});

test.runIf(isThere)(
  'perplexity of stories260K on published stories equals a float64 computation within 1e-4',
  async () => {
    const file = join(shared, 'text/tinystories/stories.json');
    const format = { kind: 'documents', fields: {} } as const;
    const { items } = limited(parseData(readFileSync(file, 'utf8'), file, format), 6);
    const texts = items.flatMap((item) => ('text' in item ? [item.text] : []));
    const { found, expected } = await perplexities(join(shared, 'models/stories260K'), texts);
    expect(expected).toBeLessThan(10);
    expect(Math.abs(found! - expected)).toBeLessThan(1e-4);
  },
  60_000,
);
