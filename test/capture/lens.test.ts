import { describe, expect, test } from 'vitest';
import { directLogits } from '../../main/capture/direct.ts';
import { logitLens } from '../../main/capture/lens.ts';
import { recipeSchema, type StepInput } from '../../preload/contract/recipe.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { float64Tensors } from '../architectures/compare.ts';
import { referenceLlama } from '../architectures/referenceLlama.ts';
import type { TinyLlamaOptions } from '../models/tinyLlama.ts';
import { sequenceContext } from '../passes/passContext.ts';
import { runDecoder } from '../passes/runDecoder.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openModel } from './open.ts';

const ids = [1, 17, 33, 5, 5, 38, 0, 9, 2];
const VOCABULARY = 40;

/** ln of the softmax of each row. */
function logprobsOf(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits);
  return all.map((logit, at) => {
    const start = Math.floor(at / VOCABULARY) * VOCABULARY;
    const row = all.slice(start, start + VOCABULARY);
    return logit - Math.log(row.reduce((sum, one) => sum + Math.exp(one), 0));
  });
}

const models: Record<string, TinyLlamaOptions> = {
  plain: {},
  tied: { tied: true, keyValueHeads: 2 },
  'with biases': { attentionBias: true, mlpBias: true },
};

describe.each(Object.entries(models))('the logit lens of a model, %s', (_, options) => {
  const { model, config, tensors } = tinyDecoder({ layers: 3, ...options });
  const weights = float64Tensors(tensors);

  test('shows at each row what the end of the model makes of that stream', async () => {
    const subject = await openModel(model);
    const captured = await subject.capturer.capture(ids);
    const lens = await logitLens(captured, await subject.readout(), 3);
    expect(lens).toMatchObject({ rows: 4, positions: ids.length, top: 3 });
    const reference = referenceLlama(config, weights, ids);
    const names = ['embed', ...[0, 1, 2].map((layer) => `blocks.${layer}.resid_post`)];
    const gain = weights('model.norm.weight');
    const head = weights(
      config['tie_word_embeddings'] === true ? 'model.embed_tokens.weight' : 'lm_head.weight',
    );
    const final = logprobsOf((await runDecoder(model, ids)).logits);
    for (const [row, name] of names.entries()) {
      const stream = reference.get(name)?.data ?? new Float64Array(0);
      for (let position = 0; position < ids.length; position++) {
        const x = stream.slice(position * 64, (position + 1) * 64);
        const square = x.reduce((sum, value) => sum + value * value, 0);
        const scale = Math.sqrt(square / 64 + 1e-5);
        const logits = Array.from({ length: VOCABULARY }, (__, token) =>
          x.reduce((sum, value, i) => sum + (value / scale) * gain[i] * head[token * 64 + i], 0),
        );
        const order = logprobsOf(logits)
          .map((logprob, id) => ({ id, probability: Math.exp(logprob) }))
          .toSorted((a, b) => b.probability - a.probability);
        const at = row * ids.length + position;
        expect([...lens.ids.subarray(3 * at, 3 * at + 3)]).toEqual(
          order.slice(0, 3).map(({ id }) => id),
        );
        expect(lens.probabilities[3 * at]).toBeCloseTo(order[0].probability, 5);
        expect(lens.norms[at] / Math.sqrt(square)).toBeCloseTo(1, 5);
        const said = final.slice(position * VOCABULARY, (position + 1) * VOCABULARY);
        const best = said.indexOf(Math.max(...said));
        const probability = order.find(({ id }) => id === best)?.probability ?? NaN;
        expect(lens.final[at]).toBeCloseTo(probability, 5);
      }
    }
    await subject.close();
  });

  test('ends with the probabilities that the model gives', async () => {
    const subject = await openModel(model);
    const captured = await subject.capturer.capture(ids);
    const lens = await logitLens(captured, await subject.readout(), VOCABULARY);
    const wanted = logprobsOf((await runDecoder(model, ids)).logits);
    const last = 3 * ids.length * VOCABULARY;
    for (let at = 0; at < ids.length * VOCABULARY; at++) {
      const position = Math.floor(at / VOCABULARY);
      const logprob = wanted[position * VOCABULARY + lens.ids[last + at]];
      expect(Math.abs(lens.probabilities[last + at] - Math.exp(logprob))).toBeLessThan(1e-4);
    }
    await subject.close();
  });
});

const changes: [string, TinyLlamaOptions, StepInput[]][] = [
  ['as it is', { keyValueHeads: 2 }, []],
  ['tied', { tied: true }, []],
  ['with biases', { attentionBias: true, mlpBias: true }, []],
  ['with padded heads', { headDim: 12 }, []],
  [
    'in 4 bits',
    { keyValueHeads: 2 },
    [{ pass: 'quantize-rtn', accuracy: 'exact', targets: ['**'] }],
  ],
  [
    'in QDQ form',
    {},
    [{ pass: 'quantize-rtn', accuracy: 'exact', format: 'qdq', targets: ['**'] }],
  ],
  [
    'with a quantized embedding and head',
    { tied: true },
    [{ pass: 'quantize-embedding', accuracy: 'exact' }],
  ],
  ['in thin factors', {}, [{ pass: 'low-rank', whiten: false, keep: 0.5 }]],
  [
    'pruned',
    { keyValueHeads: 2 },
    [{ pass: 'prune-heads', ratio: 0.5, criterion: 'magnitude', spread: 'global' }],
  ],
];

describe.each(changes)('the logit of a model %s', (name, options, passes) => {
  test('is the sum of what embedding, heads and MLPs wrote', async () => {
    const input = tinyDecoder({ layers: 3, ...options });
    const recipe = recipeSchema.parse({ name: 'test', passes: [...passes, { pass: 'fuse' }] });
    const { model } = await runRecipe(input, recipe, sequenceContext());
    const subject = await openModel(model);
    const { capturer, open } = subject;
    const captured = await capturer.capture(ids);
    const tools = {
      subject: capturer.subject,
      patterns: capturer.patterns,
      readout: await subject.readout(),
      open,
    };
    const { logits } = await runDecoder(model, ids);
    for (const { position, token } of [
      { position: 8, token: 3 },
      { position: 4, token: 38 },
    ]) {
      const direct = await directLogits(captured, tools, { position, token });
      const sum = direct.layers.reduce(
        (all, { heads, mlp }) => heads.reduce((a, b) => a + b, all) + mlp,
        direct.embedding + direct.rest,
      );
      const parts = direct.layers.flatMap(({ heads, mlp }) => [...heads, mlp]);
      const size = Math.max(...parts.map(Math.abs), Math.abs(direct.logit));
      const wanted = logits[position * VOCABULARY + token];
      expect(Math.abs(direct.logit - wanted) / size).toBeLessThan(1e-4);
      expect(Math.abs(sum - wanted) / size).toBeLessThan(1e-4);
      // Only biases are left over.
      expect(Math.abs(direct.rest) / size < 1e-4).toBe(name !== 'with biases');
      expect(direct.layers.map(({ heads }) => heads.length)).toEqual(
        captured.layers.map(({ heads }) => heads),
      );
    }
    await subject.close();
  });
});

test('a head that is switched off has no share in a logit', async () => {
  const { model } = tinyDecoder({ layers: 2 });
  const subject = await openModel(model);
  const { capturer, open } = subject;
  const captured = await capturer.capture(ids, { ablate: [{ layer: 1, head: 2 }] });
  const tools = {
    subject: capturer.subject,
    patterns: capturer.patterns,
    readout: await subject.readout(),
    open,
  };
  const { layers } = await directLogits(captured, tools, { position: 8, token: 3 });
  expect(layers[1].heads[2]).toBe(0);
  expect(layers[1].heads.filter((share) => share === 0)).toHaveLength(1);
  await subject.close();
});

test('a share of one head is what its part of the output matrix adds to the logit', async () => {
  const { model, config, tensors } = tinyDecoder({ layers: 1 });
  const weights = float64Tensors(tensors);
  const reference = referenceLlama(config, weights, ids);
  const subject = await openModel(model);
  const { capturer, open } = subject;
  const captured = await capturer.capture(ids);
  const tools = {
    subject: capturer.subject,
    patterns: capturer.patterns,
    readout: await subject.readout(),
    open,
  };
  const [position, token] = [6, 11];
  const { layers, embedding } = await directLogits(captured, tools, { position, token });
  const at = (name: string): Float64Array =>
    (reference.get(name)?.data ?? new Float64Array(0)).slice(position * 64, (position + 1) * 64);
  const final = at('blocks.0.resid_post');
  const scale = Math.sqrt(final.reduce((sum, x) => sum + x * x, 0) / 64 + 1e-5);
  const gain = weights('model.norm.weight');
  const row = weights('lm_head.weight').slice(token * 64, (token + 1) * 64);
  const logitOf = (part: Float64Array): number =>
    part.reduce((sum, x, i) => sum + ((x * gain[i]) / scale) * row[i], 0);
  expect(embedding).toBeCloseTo(logitOf(at('embed')), 4);
  const matrix = weights('model.layers.0.self_attn.o_proj.weight');
  const z = at('blocks.0.attn.z');
  layers[0].heads.forEach((share, head) => {
    const written = Float64Array.from({ length: 64 }, (_, out) => {
      let sum = 0;
      for (let i = head * 16; i < (head + 1) * 16; i++) sum += matrix[out * 64 + i] * z[i];
      return sum;
    });
    expect(share).toBeCloseTo(logitOf(written), 4);
  });
  expect(layers[0].mlp).toBeCloseTo(logitOf(at('blocks.0.mlp_out')), 4);
  await subject.close();
});
