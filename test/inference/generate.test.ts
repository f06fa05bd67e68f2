import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  generateRequestSchema,
  type GenerateEvent,
  type GenerateInput,
} from '../../preload/contract/generation.ts';
import type { Decoder } from '../../main/inference/decoder.ts';
import { generate } from '../../main/inference/generate.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import { continueGreedily, promptOf, writeTinyModel, type TinyModel } from './tinyDecoder.ts';

let model: TinyModel;
beforeAll(() => {
  model = writeTinyModel();
});
afterAll(() => model.close());

/** Token n is the character U+4E00 + n; a prompt is the tokens of its characters. */
const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (character) => character.charCodeAt(0) - 0x4e00),
  token: (id) => ({ text: textOf([id]), bytes: new TextEncoder().encode(textOf([id])) }),
  streamDecoder: () => ({ push: (id) => textOf([id]), flush: () => '' }),
  vocabularySize: 300,
  endOfText: new Set(),
  beginOfText: 1,
  chatTemplate: null,
  fallback: () => null,
  templateTokens: {},
  decode: textOf,
};

function textOf(ids: readonly number[]): string {
  return String.fromCharCode(...ids.map((id) => 0x4e00 + id));
}

function requestOf(promptIds: readonly number[], rest: Partial<GenerateInput> = {}) {
  const prompt = { kind: 'completion', text: textOf(promptIds) };
  return generateRequestSchema.parse({
    model: 'tiny',
    prompt,
    sampling: { temperature: 0 },
    maxTokens: 20,
    ...rest,
  });
}

async function run(
  decoder: Decoder,
  promptIds: readonly number[],
  rest: Partial<GenerateInput> = {},
  using = tokenizer,
) {
  const events: GenerateEvent[] = [];
  for await (const event of generate(decoder, using, requestOf(promptIds, rest)))
    events.push(event);
  return summaryOf(events);
}

/** Ids and log-probabilities, to the bit. */
function logprobsOf({ tokens }: ReturnType<typeof summaryOf>): [number, number][] {
  return tokens.map(({ id, logprob }) => [id, logprob]);
}

function summaryOf(events: readonly GenerateEvent[]) {
  const tokens = events.filter((event) => event.kind === 'token');
  const finish = events.at(-1);
  if (finish?.kind !== 'finish') throw new Error('it did not finish');
  return { events, tokens, ids: tokens.map(({ id }) => id), finish };
}

describe('a generation', () => {
  it('begins with a start event, gives tokens and finishes with text and timing', async () => {
    const decoder = await model.open('fused');
    const { events, ids, finish } = await run(decoder, promptOf(9), {
      sampling: { temperature: 0, seed: 5 },
    });
    expect(events.map(({ kind }) => kind)).toEqual(['start', ...Array(20).fill('token'), 'finish']);
    expect(events[0]).toEqual({
      kind: 'start',
      runId: null,
      promptTokens: 9,
      contextLength: 2048,
      seed: 5,
      loadMs: 0,
    });
    expect(ids).toEqual(await continueGreedily(await model.open('plain'), promptOf(9), 20));
    expect(finish).toMatchObject({ reason: 'max-tokens', text: textOf(ids), newTokens: 20 });
    const { ttftMs, msPerToken, tokensPerSecond } = finish.timing;
    expect(ttftMs).toBeGreaterThan(0);
    expect(tokensPerSecond).toBeCloseTo(1000 / (msPerToken ?? 0));
  });

  it('reports progress while a prompt of several pieces is read', async () => {
    const { events } = await run(await model.open('fused'), promptOf(1200), { maxTokens: 1 });
    expect(events.slice(1, 3)).toEqual([
      { kind: 'progress', stage: 'prefill', fraction: 1 / 3 },
      { kind: 'progress', stage: 'prefill', fraction: 2 / 3 },
    ]);
  });

  it('refuses a prefix with a token that the model does not have', async () => {
    const decoder = await model.open('fused');
    await expect(run(decoder, [5], { prefix: [7, 300] })).rejects.toMatchObject({
      code: 'usage',
      message: 'the prefix names a token outside the vocabulary of 300: 300',
    });
  });

  it('begins an empty prompt with the begin-of-text token', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, []);
    expect(decoder.ids[0]).toBe(1);
    expect(ids).toEqual(await continueGreedily(await model.open('plain'), [1], 20));
  });

  it('reproduces a text from its seed, which it names where it drew one', async () => {
    const decoder = await model.open('fused');
    const sampling = { temperature: 1.5, topP: 0.95 };
    const first = await run(decoder, promptOf(9), { sampling, maxTokens: 60 });
    const [start] = first.events;
    const seed = start.kind === 'start' ? start.seed : -1;
    const again = await run(decoder, promptOf(9), {
      sampling: { ...sampling, seed },
      maxTokens: 60,
    });
    const fresh = await run(await model.open('fused'), promptOf(9), {
      sampling: { ...sampling, seed },
      maxTokens: 60,
    });
    const other = await run(decoder, promptOf(9), {
      sampling: { ...sampling, seed: (seed ^ 1) >>> 0 },
      maxTokens: 60,
    });
    expect(logprobsOf(again)).toEqual(logprobsOf(first));
    expect(logprobsOf(fresh)).toEqual(logprobsOf(first));
    expect(other.ids).not.toEqual(first.ids);
  });

  it('gives the alternatives of every token, best first, with their text', async () => {
    const { tokens } = await run(await model.open('fused'), promptOf(9), { alternatives: 3 });
    for (const { id, logprob, alternatives } of tokens) {
      expect(alternatives).toHaveLength(3);
      expect(alternatives[0]).toEqual({ id, logprob, text: textOf([id]) });
      expect(alternatives[1].logprob).toBeLessThanOrEqual(logprob);
    }
  });
});

describe('the end of a text', () => {
  it('is the end-of-text token, which is not shown', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, promptOf(9));
    const ending = { ...tokenizer, endOfText: new Set([ids[4]]) };
    const end = ids.indexOf(ids[4]);
    const ended = await run(decoder, promptOf(9), {}, ending);
    expect(ended.ids).toEqual(ids.slice(0, end));
    expect(ended.finish).toMatchObject({ reason: 'end-of-text', text: textOf(ids.slice(0, end)) });
  });

  it('is a stop string, of which nothing is shown', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, promptOf(9));
    const { tokens, finish } = await run(decoder, promptOf(9), {
      stop: [textOf(ids.slice(5, 8)), textOf([...ids.slice(2, 4), 299])],
    });
    expect(finish).toMatchObject({ reason: 'stop-string', text: textOf(ids.slice(0, 5)) });
    expect(tokens.map(({ text }) => text).join('')).toBe(textOf(ids.slice(0, 5)));
    expect(finish.newTokens).toBe(8);
  });

  it('shows what was held back for a stop string that did not come', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, promptOf(9));
    const { tokens, finish } = await run(decoder, promptOf(9), {
      stop: [textOf([...ids.slice(18), 299])],
    });
    expect(tokens.map(({ text }) => text).join('')).toBe(textOf(ids.slice(0, 18)));
    expect(finish.text).toBe(textOf(ids));
  });
});

describe('the end of the context', () => {
  it('stops, when asked to, with the last token that fits', async () => {
    const decoder = await model.open('fused', 32);
    const { ids, finish } = await run(decoder, promptOf(20));
    expect(finish.reason).toBe('context-full');
    expect(ids).toEqual(await continueGreedily(await model.open('plain'), promptOf(20), 13));
  });

  it('slides, when asked to: the first token and the newest half stay', async () => {
    const decoder = await model.open('fused', 32);
    const { ids, finish } = await run(decoder, promptOf(20), { overflow: 'slide', maxTokens: 30 });
    expect(finish).toMatchObject({ reason: 'max-tokens', newTokens: 30 });
    const text = [...promptOf(20), ...ids];
    const reference = await model.open('plain');
    // Full with 32 tokens read; the 33rd makes it slide to 1 + 16.
    const slid = [text[0], ...text.slice(17, 33)];
    expect(ids.slice(13, 28)).toEqual(await continueGreedily(reference, slid, 15));
  });

  it('goes on behind a text that has slid before', async () => {
    const whole = await run(await model.open('fused', 32), promptOf(20), {
      overflow: 'slide',
      maxTokens: 40,
    });
    const branched = await run(await model.open('fused', 32), promptOf(20), {
      overflow: 'slide',
      prefix: whole.ids.slice(0, 13),
      maxTokens: 5,
    });
    expect(branched.ids).toEqual(whole.ids.slice(13, 18));
  });

  it('is an error with both lengths where the prompt alone does not fit', async () => {
    const decoder = await model.open('fused', 32);
    await expect(run(decoder, promptOf(33), { overflow: 'slide' })).rejects.toMatchObject({
      code: 'context_overflow',
      message: 'the prompt is longer than the context: 33 tokens, the model reads 32',
      data: { value: '33', next: ['shorten-prompt'] },
    });
    expect((await run(decoder, promptOf(32))).ids).toHaveLength(1);
  });
});

describe('branching', () => {
  it('goes on behind the prefix, and shows and counts only what is new', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, promptOf(9));
    const {
      events,
      ids: branch,
      finish,
    } = await run(decoder, promptOf(9), {
      prefix: ids.slice(0, 6),
      maxTokens: 14,
    });
    expect(branch).toEqual(ids.slice(6));
    expect(events[0]).toMatchObject({ promptTokens: 9 });
    expect(finish).toMatchObject({ text: textOf(ids.slice(6)), newTokens: 14 });
  });
});

describe('the cache of the text before', () => {
  it('is kept as far as the new text begins with the same tokens, to the same result', async () => {
    const decoder = await model.open('fused');
    await run(decoder, promptOf(700), { maxTokens: 3 });
    const changed = [...promptOf(700).slice(0, 600), ...promptOf(40, 2)];
    let read = 0;
    const counting = new Proxy(decoder, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'prefill' && Array.isArray(args[0])) read += args[0].length;
          return Reflect.apply(value, target, args);
        };
      },
    });
    const kept = await run(counting, changed);
    const fresh = await run(await model.open('fused'), changed);
    expect(read).toBe(40);
    expect(logprobsOf(kept)).toEqual(logprobsOf(fresh));
  });

  it('is not kept where tokens were generated, which would change the last bits', async () => {
    const decoder = await model.open('fused');
    const { ids } = await run(decoder, promptOf(40));
    const continued = [...promptOf(40), ...ids, ...promptOf(20, 2)];
    const kept = await run(decoder, continued);
    const fresh = await run(await model.open('fused'), continued);
    expect(logprobsOf(kept)).toEqual(logprobsOf(fresh));
  });
});

describe('cancelling', () => {
  it('ends within one token, with the text so far', async () => {
    const decoder = await model.open('fused');
    const abort = new AbortController();
    const events: GenerateEvent[] = [];
    const options = { signal: abort.signal };
    const request = requestOf(promptOf(9), { maxTokens: 1000 });
    for await (const event of generate(decoder, tokenizer, request, options)) {
      events.push(event);
      if (events.length === 6) abort.abort();
    }
    const { ids, finish } = summaryOf(events);
    expect(ids).toHaveLength(5);
    expect(finish).toMatchObject({ reason: 'cancelled', text: textOf(ids), newTokens: 5 });
  });

  it('gets through from a timer while tokens are made', async () => {
    const decoder = await model.open('fused');
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 20);
    const request = requestOf(promptOf(9), { maxTokens: 1_000_000, overflow: 'slide' });
    const events: GenerateEvent[] = [];
    const options = { signal: abort.signal };
    for await (const event of generate(decoder, tokenizer, request, options)) events.push(event);
    clearTimeout(timer);
    expect(summaryOf(events).finish.reason).toBe('cancelled');
  });

  it('ends between the pieces of a prompt', async () => {
    const decoder = await model.open('fused');
    const abort = new AbortController();
    const events: GenerateEvent[] = [];
    const options = { signal: abort.signal };
    for await (const event of generate(decoder, tokenizer, requestOf(promptOf(1600)), options)) {
      events.push(event);
      if (event.kind === 'progress') abort.abort();
    }
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'progress', 'finish']);
    expect(events.at(-1)).toMatchObject({ reason: 'cancelled', text: '', newTokens: 0 });
  });
});
