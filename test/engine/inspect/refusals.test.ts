import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EngineClient } from '../../../preload/contract/index.ts';
import { codeOf, completion, lastOf, openWorkshop, type TestWorkshop } from './workshop.ts';

// Each of these starts processes of their own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let workshop: TestWorkshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const prompt = completion('Once upon');
const layer = 'blocks.0.attn.o';

/** Everything that can be asked about a model here, each with the model's name. */
const questions: [string, (client: EngineClient, model: string) => Promise<unknown>][] = [
  [
    'difference',
    ({ inspect }, model) =>
      lastOf(inspect.difference({ base: 'tiny-stories', variant: model, prompt })),
  ],
  [
    'difference, as the base',
    ({ inspect }, model) =>
      lastOf(inspect.difference({ base: model, variant: 'tiny-stories', prompt })),
  ],
  [
    'blame',
    ({ inspect }, model) => lastOf(inspect.blame({ base: 'tiny-stories', variant: model, prompt })),
  ],
  ['repair', ({ inspect }, model) => inspect.repair({ variant: model, layers: [layer] })],
  ['attribution', ({ inspect }, model) => lastOf(inspect.attribution({ model, prompt }))],
  [
    'losses',
    ({ inspect }, model) => lastOf(inspect.losses({ models: ['tiny-stories', model], text: 'Hi' })),
  ],
  ['tokenText', ({ inspect }, model) => inspect.tokenText({ model, text: 'Hi' })],
  ['neighbours', ({ inspect }, model) => inspect.neighbours({ model, token: 5 })],
  ['weights', ({ inspect }, model) => inspect.weights({ model, layer })],
  [
    'weights, beside it',
    ({ inspect }, model) => inspect.weights({ model: 'tiny-stories', layer, against: model }),
  ],
];

describe.each(questions)('%s', (_, ask) => {
  test.each(['no-such-model', '../../../etc', '__proto__', 'a\u0000b', '/etc/passwd', '/etc'])(
    'refuses a model that is none: %j',
    async (model) => {
      expect(['not_found', 'file_missing']).toContain(await codeOf(ask(workshop.client, model)));
    },
  );
});

/** What a failure says. */
const saying = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) => String(error),
  );

test.each(
  questions.filter(([name]) => ['difference', 'blame', 'attribution', 'losses'].includes(name)),
)('%s refuses what cannot fit into memory, before it is loaded', async (name, ask) => {
  const { client } = workshop;
  const { memory } = await client.models.facts({ model: 'tiny-stories', context: 512 });
  client.runners.unload({ model: 'tiny-stories' }).catch(() => undefined);
  try {
    await client.system.saveSettings({ memoryLimitBytes: 1000 });
    expect(await saying(ask(client, 'tiny-stories'))).toContain('a runner may use 0.00 GB');
    // Room for one model is not enough for two.
    await client.system.saveSettings({ memoryLimitBytes: 150e6 + 1.5 * memory.total });
    const isRefused = (await saying(ask(client, 'tiny-stories'))).includes('a runner may use');
    expect(isRefused).toBe(name !== 'attribution');
  } finally {
    await client.system.saveSettings({ memoryLimitBytes: null });
  }
});
