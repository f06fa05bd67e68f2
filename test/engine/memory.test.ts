import { expect, test } from 'vitest';
import { estimateMemory, refuseTooLarge } from '../../main/engine/memory.ts';
import type { Manifest } from '../../main/library/manifest.ts';

/** The shape of a 0.5-billion-parameter model: 24 layers, 2 key-value heads of 64. */
const manifest: Manifest = {
  sizes: { cachePerToken: 2 * 24 * 2 * 64, hidden: 896, inner: 4864, heads: 14 },
  files: [],
  record: {
    name: 'half',
    parent: null,
    architecture: 'llama',
    parameters: 494_000_000,
    bytes: 988_000_000,
    precision: 'bfloat16',
    contextLength: 32_768,
    vocabularySize: 151_936,
    hasChatTemplate: true,
    source: 'library',
    folder: '/half',
    licence: null,
    sha256: '',
    addedAt: 0,
  },
};

test('weights count as float32, the cache grows with the context', () => {
  const estimate = estimateMemory(manifest, 4096, 8e9);
  expect(estimate).toMatchObject({ weights: 1_976_000_000, cache: 100_663_296, available: 8e9 });
  expect(estimate.total).toBe(estimate.weights + estimate.cache + estimate.activations);
  expect(estimateMemory(manifest, 8192, 8e9).cache).toBe(2 * estimate.cache);
});

test('a model that cannot fit is refused with what it needs, one that can is not', () => {
  expect(() => refuseTooLarge(manifest, 1e9)).toThrow(
    expect.objectContaining({
      code: 'memory_limit',
      message: expect.stringMatching(/half needs about 2\.\d+ GB, a runner may use 1\.00 GB/),
      data: expect.objectContaining({ next: ['choose-model'] }),
    }),
  );
  expect(refuseTooLarge(manifest, 8e9).context).toBe(512);
});
