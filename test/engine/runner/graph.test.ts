import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphForm } from '../../../preload/contract/models.ts';
import { builderVersion, graphFacts, graphOf } from '../../../main/engine/runner/graph.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-graph-'));
  folder = join(root, 'model');
  writeTinyLlama(folder, { layers: 1, dtype: 'BF16' });
});
afterAll(() => rmSync(root, { recursive: true }));

const source = (form: GraphForm) => ({ folder, weights: 'w', form, graphs: join(root) });

/**
 * What the builders write for one small model. When this changes, graphs in the caches of users
 * are out of date: raise `builderVersion` and write the new digests down.
 */
const written = {
  version: '1',
  fused: '5529a2f86b8e23ac39e3199b95b699b8007d6aa7908c6e2dac1f42a51fbf62dd',
  plain: 'b8cea7319147b33c5b5b3e50945029f489b8d2016bcc6c73a831823600d3593a',
};

describe.each(['fused', 'plain'] as const)('the cached graph, %s', (form) => {
  test('is what this version of the builders writes', async () => {
    const file = await graphOf(source(form));
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect({ version: builderVersion, digest }).toEqual({
      version: written.version,
      digest: written[form],
    });
  });

  test('is built once', async () => {
    let built = 0;
    await graphOf(source(form), () => built++);
    expect(built).toBe(0);
    expect(readdirSync(root).filter((name) => name.startsWith('.tmp'))).toEqual([]);
  });

  test('says its inputs and outputs', async () => {
    const facts = graphFacts(await graphOf(source(form)), form, ['embed']);
    expect(facts.inputs.find(({ name }) => name === 'input_ids')).toEqual({
      name: 'input_ids',
      dataType: 'int64',
      shape: ['batch_size', 'sequence_length'],
    });
    expect(facts.outputs.map(({ name }) => name)).toContain('logits');
    expect(Object.values(facts.operators).reduce((sum, times) => sum + times, 0)).toBe(facts.nodes);
  });
});
