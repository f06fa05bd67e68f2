import { describe, expect, test } from 'vitest';
import { predictions } from '../../main/capture/predictions.ts';
import type { Captured } from '../../main/capture/captured.ts';
import type { Capturer } from '../../main/capture/capture.ts';
import { valuesOf } from '../../main/capture/values.ts';
import type { Model } from '../../main/onnx/model.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { recipeSchema, type StepInput } from '../../preload/contract/recipe.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { unfuse } from '../../main/passes/unfuse.ts';
import { float64Tensors, worstRelative } from '../architectures/compare.ts';
import { referenceLlama } from '../architectures/referenceLlama.ts';
import { exportDecoder, type ExportStyle } from '../models/exporters.ts';
import type { TinyLlamaOptions } from '../models/tinyLlama.ts';
import { floatsOf } from '../../main/inference/session.ts';
import { passContext, sequenceContext } from '../passes/passContext.ts';
import { referenceAttention } from '../passes/referenceAttention.ts';
import { runDecoder } from '../passes/runDecoder.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openModel } from './open.ts';

const prompt = [1, 17, 33, 5, 5, 38, 0, 9, 2, 2, 30, 17, 33];

/** Logits of all positions as the product runs the graph, without taps. */
const logitsOf = async (model: Model): Promise<Float32Array> =>
  (await runDecoder(model, prompt)).logits;

/** All heads of a layer, [heads, tokens, tokens]. */
async function patternsOf(capturer: Capturer, captured: Captured, layer: number) {
  const size = captured.ids.length ** 2;
  const all = new Float32Array(captured.layers[layer].heads * size);
  for (let head = 0; head * size < all.length; head++) {
    all.set(await capturer.patterns.square(captured, layer, head), head * size);
  }
  return all;
}

function worst(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return NaN;
  let most = 0;
  for (let at = 0; at < found.length; at++) {
    const difference = Math.abs(found[at] - wanted[at]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

/** −∞ as a number that can be compared. */
const finite = (scores: ArrayLike<number>): number[] =>
  Array.from(scores, (score) => (score === -Infinity ? -1e6 : score));

/** Rows sum to 1, and nobody looks at what comes later. */
function expectCausal(pattern: Float32Array, tokens: number): void {
  for (let at = 0; at < pattern.length / tokens; at++) {
    const row = pattern.subarray(at * tokens, (at + 1) * tokens);
    expect(Math.abs(row.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-5);
    expect(row.subarray((at % tokens) + 1).every((p) => p === 0)).toBe(true);
  }
}

const scaling = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
};
const sizes: Record<string, TinyLlamaOptions> = {
  'heads of their own': {},
  'grouped heads': { keyValueHeads: 2 },
  'one head of keys': { keyValueHeads: 1, tied: true },
  biases: { attentionBias: true, mlpBias: true, keyValueHeads: 2 },
  'heads that are padded': { headDim: 12, keyValueHeads: 2 },
  'heads wider than the stream': { headDim: 32 },
  'linear scaling of places': { fields: { rope_scaling: { type: 'linear', factor: 4 } } },
  'llama3 scaling of places': { fields: { rope_scaling: scaling } },
  'half precision': { dtype: 'F16', tied: true },
};

const unfused = async (model: Model): Promise<Model> =>
  (await unfuse.run({ model, config: {} }, { pass: 'unfuse' }, passContext())).model;

describe.each(Object.entries(sizes))('a decoder with %s', (_, options) => {
  const { model, config, tensors } = tinyDecoder(options);
  const reference = referenceLlama(config, float64Tensors(tensors), prompt);
  const wanted = (name: string): Float64Array => {
    const value = reference.get(name);
    if (value === undefined) throw new Error(name);
    return value.data;
  };

  test.each(['fused', 'plain'] as const)(
    'shows the patterns of the %s graph as float64 attention has them',
    async (form) => {
      const { capturer, close } = await openModel(form === 'fused' ? model : await unfused(model));
      const captured = await capturer.capture(prompt);
      expect(captured.layers.map(({ heads }) => heads)).toEqual([4, 4]);
      for (const layer of [0, 1]) {
        const pattern = await patternsOf(capturer, captured, layer);
        expect(worst(pattern, wanted(`blocks.${layer}.attn.pattern`))).toBeLessThan(1e-4);
        expectCausal(pattern, prompt.length);
        const scores = await capturer.patterns.square(captured, layer, 2, 'scores');
        const some = wanted(`blocks.${layer}.attn.scores`);
        const size = prompt.length ** 2;
        expect(worst(finite(scores), finite(some.subarray(2 * size, 3 * size)))).toBeLessThan(1e-4);
      }
      await close();
    },
  );

  test('keeps the residual stream and what MLPs wrote, and gives the rest when asked', async () => {
    const { capturer, close } = await openModel(model);
    const captured = await capturer.capture(prompt);
    const streams = ['embed', 'blocks.0.resid_post', 'blocks.1.resid_post'];
    expect(captured.streams).toHaveLength(3);
    for (const [at, name] of streams.entries()) {
      expect(worstRelative(captured.streams[at], wanted(name))).toBeLessThan(1e-5);
    }
    for (const layer of [0, 1]) {
      const name = `blocks.${layer}.mlp_out`;
      expect(worstRelative(captured.mlp[layer], wanted(name))).toBeLessThan(1e-5);
    }
    const hooks = ['resid_pre', 'ln1', 'attn_out', 'resid_mid', 'ln2', 'mlp.pre', 'mlp.post'];
    for (const hook of hooks.map((one) => `blocks.1.${one}`)) {
      const { shape, data } = await valuesOf(captured, capturer, hook);
      expect(shape).toEqual(reference.get(hook)?.shape);
      expect(worstRelative(data, wanted(hook))).toBeLessThan(1e-5);
    }
    // Padded heads have more elements than the reference's.
    const isPadded = Number(config['head_dim'] ?? 16) % 16 !== 0;
    for (const hook of isPadded ? [] : ['q', 'k', 'v', 'rot_q', 'z']) {
      const { data } = await valuesOf(captured, capturer, `blocks.1.attn.${hook}`);
      expect(worstRelative(data, wanted(`blocks.1.attn.${hook}`))).toBeLessThan(1e-5);
    }
    const pattern = await valuesOf(captured, capturer, 'blocks.0.attn.pattern');
    expect(pattern.shape).toEqual([1, 4, prompt.length, prompt.length]);
    expect(worst(pattern.data, wanted('blocks.0.attn.pattern'))).toBeLessThan(1e-4);
    await close();
  });

  test('gives the logits that it gives without being looked at', async () => {
    const subject = await openModel(model);
    const { capturer } = subject;
    const captured = await capturer.capture(prompt);
    const readout = await subject.readout();
    const logits = new Float32Array(prompt.length * 40);
    await readout.eachLogits(readout.normalized(captured.streams[2]), (first, rows) =>
      logits.set(rows, first * 40),
    );
    const untapped = await logitsOf(model);
    expect(worstRelative(logits, untapped)).toBeLessThan(1e-4);
    const shown: number[] = [];
    await capturer.show(captured, ['logits'], (_name, rows) => void shown.push(...floatsOf(rows)));
    expect(worstRelative(shown.slice(-40), untapped.slice(-40))).toBe(0);
    await subject.close();
  });
});

const styles: Record<string, ExportStyle> = {
  'torch, eager': { norm: 'primitive', attention: 'eager', linear: 'matmul' },
  'torch, sdpa': { norm: 'reciprocal', attention: 'sdpa', linear: 'matmul' },
  'angles looked up': {
    norm: 'operator',
    attention: 'eager',
    linear: 'transpose',
    angles: 'tables',
  },
  grouped: { norm: 'skip', attention: 'grouped', linear: 'matmul' },
  'grouped, packed': { norm: 'skip', attention: 'groupedPacked', linear: 'matmul' },
  'grouped, turned outside': { norm: 'skip', attention: 'groupedOutsideRope', linear: 'matmul' },
};

describe.each(Object.entries(styles))('a graph written as %s, looked at as it is', (_, style) => {
  test.each([{ tied: true }, { keyValueHeads: 2, attentionBias: true }])(
    'shows its patterns and predictions (%o)',
    async (options) => {
      const { config, tensors } = tinyDecoder(options);
      const model = exportDecoder(config, tensors, style);
      const reference = referenceLlama(config, float64Tensors(tensors), prompt);
      const { capturer, close } = await openModel(model);
      expect(capturer.subject.hasStreams).toBe(false);
      expect(capturer.subject.sites.map(({ heads }) => heads)).toEqual([4, 4]);
      const captured = await capturer.capture(prompt);
      for (const layer of [0, 1]) {
        const pattern = await patternsOf(capturer, captured, layer);
        const wanted = reference.get(`blocks.${layer}.attn.pattern`)?.data ?? [];
        expect(worst(pattern, wanted)).toBeLessThan(1e-4);
        expectCausal(pattern, prompt.length);
      }
      const logits = await logitsOf(model);
      const found = await predictions(captured, { capturer, readout: null }, 3);
      expect(found).toHaveLength(prompt.length);
      found.forEach(({ alternatives, logprob, entropy }, at) => {
        const row = [...logits.subarray(at * 40, (at + 1) * 40)];
        const sum = Math.log(row.reduce((a, logit) => a + Math.exp(logit), 0));
        const order = row.map((logit, id) => ({ id, logprob: logit - sum }));
        order.sort((a, b) => b.logprob - a.logprob);
        expect(alternatives.map(({ id }) => id)).toEqual(order.slice(0, 3).map(({ id }) => id));
        expect(alternatives[0].logprob).toBeCloseTo(order[0].logprob, 4);
        const next = at + 1 === prompt.length ? null : row[prompt[at + 1]] - sum;
        expect(logprob === null).toBe(next === null);
        expect(logprob ?? 0).toBeCloseTo(next ?? 0, 4);
        const bits =
          row.reduce((a, logit) => a - Math.exp(logit - sum) * (logit - sum), 0) / Math.LN2;
        expect(entropy).toBeCloseTo(bits, 4);
      });
      await close();
    },
  );
});

const changes: StepInput[][] = [
  [{ pass: 'quantize-rtn', accuracy: 'exact', targets: ['**'] }],
  [{ pass: 'quantize-rtn', accuracy: 'exact', format: 'qdq' }],
  [{ pass: 'quantize-hqq', accuracy: 'exact' }],
  [{ pass: 'quantize-int8-dynamic' }],
  [{ pass: 'quantize-embedding', accuracy: 'exact' }],
  [{ pass: 'convert-float', type: 'bfloat16' }],
  [{ pass: 'low-rank', whiten: false, keep: 0.5 }],
  [
    { pass: 'prune-heads', ratio: 0.5, criterion: 'magnitude', spread: 'global' },
    { pass: 'prune-neurons', ratio: 0.5, criterion: 'magnitude' },
    { pass: 'quantize-rtn', accuracy: 'exact' },
  ],
];

/** [tokens, heads, size] turned by places as rotary embedding defines, as [heads, tokens, size]. */
function turned(values: Float32Array, heads: number, size: number): Float64Array {
  const tokens = values.length / (heads * size);
  const result = new Float64Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let token = 0; token < tokens; token++) {
      for (let pair = 0; pair < size / 2; pair++) {
        const angle = token * 10_000 ** (-pair / (size / 2));
        const from = (token * heads + head) * size;
        const to = (head * tokens + token) * size;
        const [x, y] = [values[from + pair], values[from + pair + size / 2]];
        result[to + pair] = x * Math.cos(angle) - y * Math.sin(angle);
        result[to + pair + size / 2] = y * Math.cos(angle) + x * Math.sin(angle);
      }
    }
  }
  return result;
}

test.each(changes.map((steps) => [steps.map(({ pass }) => pass).join(', '), steps] as const))(
  'a model behind %s shows the patterns of its own queries and keys, and its own logits',
  async (_, steps) => {
    const input = tinyDecoder({ layers: 3, heads: 4, keyValueHeads: 2 });
    const recipe = recipeSchema.parse({ name: 'test', passes: steps });
    const { model } = await runRecipe(input, recipe, sequenceContext());
    const subject = await openModel(model);
    const { capturer } = subject;
    const captured = await capturer.capture(prompt);
    const { blocks } = readDecoder(model);
    for (const { index, attention } of blocks) {
      const { heads, kvHeads, headDim: size } = attention;
      const query = await valuesOf(captured, capturer, `blocks.${index}.attn.q`);
      const key = await valuesOf(captured, capturer, `blocks.${index}.attn.k`);
      const wanted = referenceAttention({
        heads,
        kvHeads,
        size,
        rows: prompt.length,
        keys: prompt.length,
        query: turned(query.data, heads, size),
        key: turned(key.data, kvHeads, size),
        value: new Float64Array(key.data.length),
        scale: 1 / Math.sqrt(size),
        causal: true,
      });
      const pattern = await patternsOf(capturer, captured, index);
      expect(worst(pattern, wanted.pattern)).toBeLessThan(1e-4);
      expectCausal(pattern, prompt.length);
    }
    const readout = await subject.readout();
    const logits = new Float32Array(prompt.length * 40);
    const stream = captured.streams[captured.streams.length - 1];
    await readout.eachLogits(readout.normalized(stream), (first, rows) =>
      logits.set(rows, first * 40),
    );
    // Rounding activations to 8 bit makes more of the last bit than it is.
    const bound = steps[0].pass === 'quantize-int8-dynamic' ? 5e-3 : 1e-4;
    expect(worstRelative(logits, await logitsOf(model))).toBeLessThan(bound);
    await subject.close();
  },
);

test.each(['fused', 'plain'] as const)(
  'a text of several pieces is captured as one in the %s graph',
  async (form) => {
    const ids = Array.from({ length: 600 }, (_, at) => (at * 7 + (at % 11) * 3) % 40);
    const { model, config, tensors } = tinyDecoder({ keyValueHeads: 2, contextLength: 600 });
    const reference = referenceLlama(config, float64Tensors(tensors), ids);
    const { capturer, close } = await openModel(
      form === 'fused' ? model : await unfused(model),
      600,
    );
    const told: string[] = [];
    const onProgress = (stage: string): void => void told.push(stage);
    const captured = await capturer.capture(ids, { onProgress });
    expect(told).toEqual(['running', 'running', 'capturing', 'capturing']);
    for (const layer of [0, 1]) {
      const pattern = await patternsOf(capturer, captured, layer);
      const wanted = reference.get(`blocks.${layer}.attn.pattern`)?.data ?? [];
      expect(worst(pattern, wanted)).toBeLessThan(1e-4);
      expectCausal(pattern, ids.length);
    }
    await close();
  },
);

describe('heads switched off', () => {
  const { model } = tinyDecoder({ keyValueHeads: 2 });
  const ablate = [
    { layer: 0, head: 1 },
    { layer: 1, head: 3 },
  ];

  test('change the model as columns of zeros in its output matrices do', async () => {
    const zeroed = withoutHeads(model, ablate);
    const one = await openModel(model);
    const other = await openModel(zeroed);
    const found = await one.capturer.capture(prompt, { ablate });
    const wanted = await other.capturer.capture(prompt);
    expect(found.ablated).toEqual(ablate);
    for (const [at, stream] of wanted.streams.entries()) {
      expect(worst(found.streams[at], stream)).toBe(0);
    }
    const whole = await one.capturer.capture(prompt);
    expect(worst(whole.streams[2], wanted.streams[2])).toBeGreaterThan(0.01);
    const { data } = await valuesOf(found, one.capturer, 'blocks.0.attn.z');
    const off = Array.from({ length: prompt.length }, (_, token) =>
      data.subarray((token * 4 + 1) * 16, (token * 4 + 2) * 16),
    );
    expect(off.every((z) => z.every((value) => value === 0))).toBe(true);
    await one.close();
    await other.close();
  });

  test('of a quantized model change nothing else', async () => {
    const recipe = recipeSchema.parse({
      name: 'test',
      passes: [{ pass: 'quantize-rtn', accuracy: 'exact' }],
    });
    const { model: quantized } = await runRecipe({ model, config: {} }, recipe, sequenceContext());
    const { capturer, close } = await openModel(quantized);
    const all = Array.from({ length: 4 }, (_, head) => ({ layer: 0, head }));
    const found = await capturer.capture(prompt, { ablate: all });
    const { data } = await valuesOf(found, capturer, 'blocks.0.attn_out');
    expect(data.every((value) => value === 0)).toBe(true);
    await close();
  });

  test('that the model does not have are refused before anything runs', async () => {
    const { capturer, close } = await openModel(model);
    const refused = (layer: number, head: number) =>
      expect(capturer.capture(prompt, { ablate: [{ layer, head }] })).rejects.toMatchObject({
        code: 'usage',
      });
    await refused(0, 4);
    await refused(2, 0);
    await close();
  });
});

/** The model with zeros where its output matrices read these heads. */
function withoutHeads(model: Model, heads: readonly { layer: number; head: number }[]): Model {
  const initializers = new Map(model.graph.initializers);
  for (const { index, linears } of readDecoder(model).blocks) {
    const { weight } = linears.o;
    if (weight === null) throw new Error('float weights only');
    const [rows, columns] = weight.dims;
    const values = new Float32Array(weight.bytes.read().slice().buffer);
    for (const { layer, head } of heads) {
      if (layer !== index) continue;
      for (let row = 0; row < rows; row++) {
        values.fill(0, row * columns + head * 16, row * columns + (head + 1) * 16);
      }
    }
    const bytes = new Uint8Array(values.buffer);
    initializers.set(weight.name, {
      ...weight,
      bytes: { length: bytes.length, read: () => bytes },
    });
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

describe('a capture is refused before anything runs', () => {
  test('of a text longer than the context', async () => {
    const { capturer, close } = await openModel(tinyDecoder().model, 8);
    await expect(capturer.capture(prompt)).rejects.toMatchObject({
      code: 'context_overflow',
      data: { next: ['shorten-prompt'] },
    });
    await close();
  });

  test('or cancelled between two pieces, and the next one runs', async () => {
    const ids = Array.from({ length: 1200 }, (_, at) => at % 40);
    const { capturer, close } = await openModel(tinyDecoder({ contextLength: 1200 }).model, 1200);
    const abort = new AbortController();
    const seen: [string, number][] = [];
    const onProgress = (stage: string, fraction: number): void => {
      seen.push([stage, fraction]);
      if (stage === 'capturing') abort.abort();
    };
    const { signal } = abort;
    await expect(capturer.capture(ids, { signal, onProgress })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(seen.at(-1)).toEqual(['capturing', 512 / 1200]);
    expect((await capturer.capture(ids)).ids).toHaveLength(1200);
    await close();
  });

  test('that would keep more than it may', async () => {
    const { capturer, close } = await openModel(tinyDecoder().model);
    await expect(capturer.capture(prompt, { mostBytes: 10_000 })).rejects.toMatchObject({
      code: 'memory_limit',
      message: expect.stringContaining('13 tokens'),
    });
    await close();
  });

  test('of no text, and of tokens that the model does not have', async () => {
    const { capturer, close } = await openModel(tinyDecoder().model);
    await expect(capturer.capture([])).rejects.toMatchObject({ code: 'usage' });
    await expect(capturer.capture([1, 40])).rejects.toMatchObject({
      code: 'tokenizer_invalid',
      data: { value: '40' },
    });
    await close();
  });

  test('of a graph without attention, naming what was looked for and what there is', async () => {
    const { model } = tinyDecoder();
    const nodes = model.graph.nodes.map((node) =>
      node.opType === 'GroupQueryAttention' ? { ...node, opType: 'LinearAttention' } : node,
    );
    const other = { ...model, graph: { ...model.graph, nodes } };
    await expect(openModel(other)).rejects.toMatchObject({
      code: 'graph_invalid',
      message: expect.stringMatching(
        /GroupQueryAttention, MultiHeadAttention.*it has: .*LinearAttention/,
      ),
    });
  });
});
