import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { openWeights } from '../../main/formats/weights.ts';
import type { GraphForm } from '../../preload/contract/models.ts';
import { float64Tensors, worstRelative } from './compare.ts';
import { GraphRun, floatsOf } from './graphRun.ts';
import { referenceLlama } from './referenceLlama.ts';

const root = new URL('../..', import.meta.url).pathname;
const stories260K = join(root, '../shared/data/models/stories260K');
const isThere = existsSync(stories260K);
if (!isThere) process.stderr.write('not run, ../shared is not there: stories260K\n');

function open(folder: string) {
  const config: unknown = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const weights = openWeights(folder);
  const architecture = architectureOf(config, join(folder, 'config.json'));
  return { config: config as Record<string, unknown>, weights, architecture };
}

/** The most likely token after each of `logits`' rows, the lowest id of equals. */
function argmax(logits: ArrayLike<number>, vocabulary: number): number[] {
  return Array.from({ length: logits.length / vocabulary }, (_, row) => {
    let best = 0;
    for (let id = 1; id < vocabulary; id++) {
      if (logits[row * vocabulary + id] > logits[row * vocabulary + best]) best = id;
    }
    return best;
  });
}

/** Token ids that greedy decoding gives after `first`, and the logits on the way. */
async function greedy(folder: string, form: GraphForm, first: number, count: number) {
  const { weights, architecture } = open(folder);
  const run = await GraphRun.of(architecture.build(weights, form));
  weights.close();
  const ids = [first];
  const rows: number[] = [];
  while (ids.length <= count) {
    const logits = floatsOf((await run.step([[ids[ids.length - 1]]])).logits);
    rows.push(...logits);
    ids.push(argmax(logits, architecture.vocabularySize)[0]);
  }
  await run.close();
  return { ids, rows, vocabulary: architecture.vocabularySize };
}

describe.each(['fused', 'plain'] as const)('greedy continuation in the %s form', (form) => {
  test('the embedded model: 100 tokens with the logits of the float64 reference', async () => {
    const folder = join(root, 'resources/models/tiny-stories');
    const { ids, rows, vocabulary } = await greedy(folder, form, 0, 100);
    const { config, weights } = open(folder);
    const expected = referenceLlama(config, float64Tensors(weights), ids.slice(0, -1));
    weights.close();
    const { data } = expected.get('logits')!;
    expect(worstRelative(rows, data)).toBeLessThan(1e-4);
    expect(ids.slice(1)).toEqual(argmax(data, vocabulary));
  });

  test.runIf(isThere)(
    'stories260K: the published text, as the reference would say it',
    async () => {
      const { ids, rows, vocabulary } = await greedy(stories260K, form, 1, 200);
      const { config, weights } = open(stories260K);
      const expected = referenceLlama(config, float64Tensors(weights), ids.slice(0, -1));
      weights.close();
      const { data } = expected.get('logits')!;
      expect(worstRelative(rows, data)).toBeLessThan(1e-4);
      expect(ids.slice(1)).toEqual(argmax(data, vocabulary));
      const published = readFileSync(join(stories260K, 'greedy.txt'), 'utf8').trim();
      const text = textOf(ids.slice(1)).trim();
      const both = Math.min(text.length, published.length);
      expect(both).toBeGreaterThan(400);
      expect(text.slice(0, both)).toBe(published.slice(0, both));
    },
  );
});

/** Text of stories260K's tokens: pieces with ▁ for a space, bytes as <0x0A>. */
function textOf(ids: readonly number[]): string {
  const tokenizer: unknown = JSON.parse(readFileSync(join(stories260K, 'tokenizer.json'), 'utf8'));
  const { vocab } = (tokenizer as { model: { vocab: Record<string, number> } }).model;
  const pieces = new Map(Object.entries(vocab).map(([piece, id]) => [id, piece]));
  const bytes = ids.flatMap((id) => {
    const piece = pieces.get(id) ?? '';
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece);
    return byte ? [Number.parseInt(byte[1], 16)] : [...Buffer.from(piece.replaceAll('▁', ' '))];
  });
  return Buffer.from(bytes).toString();
}
