import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BlameEvent, Difference } from '../../../preload/contract/index.ts';
import { isTemporary } from '../../../main/library/folders.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';
import { writeCorrupted } from './corrupted.ts';
import { codeOf, completion, cosine, lastOf, openWorkshop, type TestWorkshop } from './workshop.ts';

// Each of these loads models in processes of their own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const repository = join(import.meta.dirname, '..', '..', '..');
const stories = join(repository, 'resources', 'models', 'tiny-stories');
const stories260K = join(repository, '..', 'shared', 'data', 'models', 'stories260K');
if (!existsSync(stories260K)) process.stdout.write(`not run: tests on ${stories260K}\n`);

let workshop: TestWorkshop;
/** 4 bits everywhere. */
let int4: string;

beforeAll(async () => {
  workshop = await openWorkshop();
  const passes = [{ pass: 'quantize-rtn' as const, targets: ['**'] }];
  int4 = await workshop.compress('tiny-stories', { name: 'int4', passes });
});
afterAll(() => workshop.close());

const compare = async (
  base: string,
  variant: string,
  text: string,
  newTokens = 24,
): Promise<Difference> => {
  const request = { base, variant, prompt: completion(text), newTokens };
  return (await lastOf(workshop.client.inspect.difference(request))).difference;
};

const blame = async (base: string, variant: string, text: string, newTokens = 24) => {
  const request = { base, variant, prompt: completion(text), newTokens };
  const told: BlameEvent[] = [];
  for await (const event of await workshop.client.inspect.blame(request)) told.push(event);
  const last = told.at(-1);
  if (last?.kind !== 'done') throw new Error('the search ended without a result');
  return { ...last.blame, told };
};

async function greedy(model: string, text: string, maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  const request = { model, prompt: completion(text), maxTokens, sampling: { temperature: 0 } };
  for await (const event of await workshop.client.generate(request)) {
    if (event.kind === 'token') ids.push(event.id);
  }
  return ids;
}

/** Index of the first token in which two texts differ; null where neither goes on differently. */
function parting(own: readonly number[], other: readonly number[]): number | null {
  const at = own.findIndex((id, index) => id !== other[index]);
  if (at >= 0) return at;
  return other.length > own.length ? own.length : null;
}

const prompts = [
  '',
  'Once upon a time',
  'One day, a cat',
  'Lily and Ben',
  'The sun was hot and',
  'Tom had a red ball. He',
  '"I am sad," said the bird.',
  'There was a big tree in the',
  'Mum said no. So Tim',
  'At night, the little dog',
];

describe.each([
  ['tiny-stories', () => Promise.resolve(['tiny-stories', int4] as const)],
  [
    'stories260K',
    async () => {
      await workshop.import(stories260K, 'stories260K');
      const passes = [{ pass: 'quantize-rtn' as const, targets: ['**'] }];
      return ['stories260K', await workshop.compress('stories260K', { name: 'int4', passes })];
    },
  ],
] as const)('%s in fp32 and in 4 bits', (name, open) => {
  test.skipIf(name === 'stories260K' && !existsSync(stories260K))(
    'part where their own greedy texts do, on ten prompts',
    async () => {
      const [base, variant] = await open();
      let parted = 0;
      for (const text of prompts) {
        const own = await greedy(base, text, 48);
        const other = await greedy(variant, text, 48);
        const { tokens, promptTokens, firstDivergence } = await compare(base, variant, text, 48);
        const written = tokens.slice(promptTokens, promptTokens + own.length);
        expect(written.map(({ id }) => id)).toEqual(own);
        const at = parting(own, other);
        expect({ text, at: firstDivergence }).toEqual({
          text,
          at: at === null ? null : promptTokens + at,
        });
        if (at !== null) parted++;
      }
      expect(parted).toBeGreaterThan(0);
    },
  );
});

describe('a comparison', () => {
  test('holds the patterns and streams that captures of both show, and their divergence', async () => {
    const { client } = workshop;
    const found = await compare('tiny-stories', int4, 'Once upon a time', 6);
    const text = found.tokens
      .slice(1)
      .map((token) => token.text)
      .join('');
    const captures = await Promise.all(
      ['tiny-stories', int4].map(async (model) => {
        const request = { model, prompt: completion(text) };
        return (await lastOf(client.inspect.capture(request))).capture;
      }),
    );
    const tokens = found.tokens.length;
    expect(captures.map((capture) => capture.tokens.length)).toEqual([tokens, tokens]);
    expect(found.heads).toEqual(captures[0].heads);
    let at = 0;
    for (const [layer, heads] of captures[0].heads.entries()) {
      for (let head = 0; head < heads; head++, at++) {
        const pair = await client.inspect.patternPair({ difference: found.id, layer, head });
        const [own, other] = await Promise.all(
          captures.map(({ id }) => client.inspect.pattern({ capture: id, layer, head })),
        );
        expect(
          Math.max(...own.data.map((value, i) => Math.abs(value - pair.base[i]))),
        ).toBeLessThan(1e-5);
        expect(
          Math.max(...other.data.map((value, i) => Math.abs(value - pair.variant[i]))),
        ).toBeLessThan(1e-5);
        let sum = 0;
        own.data.forEach((p, i) => {
          const q = other.data[i];
          for (const one of [p, q]) if (one > 0) sum += (one / 2) * Math.log2((2 * one) / (p + q));
        });
        expect(found.headDivergence?.[at]).toBeCloseTo(sum / tokens, 5);
      }
    }
    for (const [row, hook] of ['embed', 'blocks.0.resid_post', 'blocks.4.resid_post'].entries()) {
      const [a, b] = await Promise.all(
        captures.map(({ id }) => client.inspect.values({ capture: id, hook })),
      );
      const width = a.data.length / tokens;
      let total = 0;
      for (let token = 0; token < tokens; token++) {
        const [x, y] = [a, b].map(({ data }) => data.slice(token * width, (token + 1) * width));
        total += cosine(x, y);
      }
      expect(found.residualCosine[[0, 1, 5][row]]).toBeCloseTo(total / tokens, 4);
    }
  });

  test('of pruned heads tells what both say, and why patterns are not compared', async () => {
    const pruned = await workshop.compress('tiny-stories', {
      name: 'pruned',
      passes: [{ pass: 'prune-heads', ratio: 0.5, criterion: 'magnitude' }],
    });
    const found = await compare('tiny-stories', pruned, 'One day', 8);
    expect(found).toMatchObject({
      heads: null,
      headDivergence: null,
      note: expect.stringContaining('not the same heads'),
    });
    expect(found.residualCosine).toHaveLength(6);
    expect(found.positions.some(({ kl }) => kl > 0.1)).toBe(true);
    const request = { base: 'tiny-stories', variant: pruned, prompt: completion('One day') };
    await expect(lastOf(workshop.client.inspect.blame(request))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/same sizes: blocks\.0\.attn is 8 heads .* in the base/),
    });
  });

  test('of models with other tokens is refused before anything is loaded', async () => {
    writeTinyLlama(join(workshop.root, 'bytes'));
    const other = join(workshop.root, 'bytes');
    expect(await codeOf(compare('tiny-stories', other, 'Hi'))).toBe('usage');
    expect(await codeOf(blame('tiny-stories', other, 'Hi'))).toBe('usage');
  });

  test('of a text longer than the context says so', async () => {
    const long = 'One day a cat ran to a tree. '.repeat(80);
    expect(await codeOf(compare('tiny-stories', int4, long))).toBe('context_overflow');
  });

  test('that is not there cannot be asked about, whatever its name', async () => {
    const { inspect } = workshop.client;
    for (const difference of ['', '../../etc/passwd', '__proto__', 'x'.repeat(5000)]) {
      expect(await codeOf(inspect.report({ difference }))).toBe('not_found');
      expect(await codeOf(inspect.patternPair({ difference, layer: 0, head: 0 }))).toBe(
        'not_found',
      );
    }
    const { id } = await compare('tiny-stories', int4, 'Hi', 2);
    expect(await codeOf(inspect.patternPair({ difference: id, layer: 0, head: 99 }))).toBe('usage');
    await workshop.client.runners.unload({ model: int4 });
    const isGone = async (): Promise<void> => {
      const code = await codeOf(inspect.patternPair({ difference: id, layer: 0, head: 0 }));
      expect(code).toBe('not_found');
    };
    await vi.waitFor(isGone, { timeout: 30_000, interval: 200 });
  });

  test.each(['difference', 'blame'] as const)('stops when cancelled: %s', async (call) => {
    const stop = new AbortController();
    const request = { base: 'tiny-stories', variant: int4, prompt: completion('One') };
    const stages: string[] = [];
    const read = async (): Promise<void> => {
      const events = await workshop.client.inspect[call](request, { signal: stop.signal });
      for await (const event of events) {
        if (event.kind === 'progress') stages.push(event.stage);
        if (/comparing heads|putting layers/.test(stages.at(-1) ?? '')) stop.abort();
      }
    };
    expect(await codeOf(read())).toBe('cancelled');
    const graphs = readdirSync(join(workshop.root, 'home', 'cache', 'graphs'));
    expect(graphs.filter(isTemporary)).toEqual([]);
    expect((await compare('tiny-stories', int4, 'One', 2)).tokens).toHaveLength(4);
  });
});

describe('blame', () => {
  test.each([
    ['model.layers.3.self_attn.o_proj.weight', 'blocks.3.attn.o'],
    ['model.layers.0.mlp.up_proj.weight', 'blocks.0.mlp.gate_up'],
    ['model.layers.4.mlp.down_proj.weight', 'blocks.4.mlp.down'],
    ['model.layers.2.self_attn.v_proj.weight', 'blocks.2.attn.qkv'],
  ])('names a corrupted tensor first among others of 8 bits: %s', async (tensor, layer) => {
    const folder = join(workshop.root, tensor);
    writeCorrupted(stories, folder, tensor);
    const broken = await workshop.import(folder, layer);
    const passes = [{ pass: 'quantize-rtn' as const, bits: 8 as const, targets: ['**'] }];
    const variant = await workshop.compress(broken.name, { name: '8bit', passes });
    const found = await blame('tiny-stories', variant, 'Once upon a time there was');
    expect(found.suspects[0]).toMatchObject({ layer, restores: true });
    expect(found.sufficient).toEqual([layer]);
    expect(found.expected.id).not.toBe(found.given.id);
    expect(found.runs).toBeLessThanOrEqual(2 * Math.log2(21) + 5);
    expect(found.told.filter(({ kind }) => kind === 'suspect').length).toBe(found.suspects.length);
  });

  test('of a corrupted norm names it, though no recipe could spare it', async () => {
    const folder = join(workshop.root, 'norm');
    writeCorrupted(stories, folder, 'model.layers.1.input_layernorm.weight');
    const found = await blame('tiny-stories', folder, 'Once upon a time there was');
    expect(found.suspects).toMatchObject([{ layer: 'blocks.1.ln1', effect: 1, restores: true }]);
    expect(found.runs).toBe(1);
  });

  test('of equal models finds nobody', async () => {
    const found = await blame('tiny-stories', 'tiny-stories', 'Once upon', 4);
    expect(found).toMatchObject({ suspects: [], sufficient: [], runs: 0 });
    expect(found.expected).toEqual(found.given);
  });

  test('reads nothing again of the comparison before it', async () => {
    const stages = async (text: string): Promise<Set<string>> => {
      const { told } = await blame('tiny-stories', int4, text, 12);
      return new Set(told.flatMap((event) => (event.kind === 'progress' ? [event.stage] : [])));
    };
    await compare('tiny-stories', int4, 'One day, a cat', 12);
    expect(await stages('One day, a cat')).not.toContain('loading the base');
    expect(await stages('One day, a dog')).toContain('loading the base');
  });

  test('repairs 4 bits everywhere: with the layers that suffice in float, the token is back', async () => {
    const text = 'Once upon a time';
    const before = await compare('tiny-stories', int4, text, 48);
    const found = await blame('tiny-stories', int4, text, 48);
    expect(found.position).toBe(before.firstDivergence);
    expect(found.sufficient.length).toBeGreaterThan(0);
    const request = { variant: int4, layers: found.sufficient, keep: 'float' as const };
    const { model, recipe } = await workshop.client.inspect.repair(request);
    expect(model).toBe('tiny-stories');
    const repaired = await workshop.compress(model, recipe);
    const after = await compare('tiny-stories', repaired, text, 48);
    const { base, variant } = after.positions[found.position - 1];
    expect(variant.top).toEqual(base.top);
    expect(after.firstDivergence ?? Infinity).toBeGreaterThan(found.position);
  });

  test.each(['float', '8-bit'] as const)(
    'repairs one ruined layer, kept as %s: the base’s tokens are back',
    async (keep) => {
      const ruined = 'blocks.2.mlp.down';
      const variant = await workshop.compress('tiny-stories', {
        name: `ruined-${keep}`,
        passes: [
          { pass: 'prune-magnitude', sparsity: 0.98, targets: [ruined] },
          { pass: 'quantize-rtn', bits: 8, targets: ['**'] },
        ],
      });
      const text = 'Once upon a time there was';
      const found = await blame('tiny-stories', variant, text);
      expect(found.sufficient).toEqual([ruined]);
      const request = { variant, layers: found.sufficient, keep };
      const { model, recipe } = await workshop.client.inspect.repair(request);
      const repaired = await workshop.compress(model, recipe);
      expect((await compare('tiny-stories', repaired, text)).firstDivergence).toBeNull();
      expect(await greedy(repaired, text, 24)).toEqual(await greedy('tiny-stories', text, 24));
    },
  );
});

describe('a repair', () => {
  test('is refused where there is nothing to repair', async () => {
    const { inspect } = workshop.client;
    const layers = ['blocks.0.attn.o'];
    expect(await codeOf(inspect.repair({ variant: 'tiny-stories', layers }))).toBe('not_found');
    expect(await codeOf(inspect.repair({ variant: int4, layers: ['blocks.9.attn.o'] }))).toBe(
      'usage',
    );
    expect(await codeOf(inspect.repair({ variant: int4, layers: ['__proto__'] }))).toBe('usage');
    expect(await codeOf(inspect.repair({ variant: int4, layers: [] }))).toBe('usage');
    const { client } = workshop;
    const names = (await client.models.linears({ model: 'tiny-stories' })).map(({ name }) => name);
    const everything = { variant: int4, layers: names, keep: 'float' as const };
    expect(await codeOf(inspect.repair(everything))).toBe('usage');
  });
});
