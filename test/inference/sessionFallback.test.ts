import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { continueGreedily, promptOf, writeTinyModel, type TinyModel } from './tinyDecoder.ts';

/** What the binding does on meeting the guard; by default what it really does. */
const binding = vi.hoisted(() => ({ kind: 'real' as 'real' | 'other-message' | 'returns' }));

vi.mock('onnxruntime-node', async (importOriginal) => {
  const original = await importOriginal<typeof import('onnxruntime-node')>();
  const { InferenceSession } = original;
  const create = async (source: string, options: object) => {
    const session = await InferenceSession.create(source, options);
    const run = session.run.bind(session);
    session.run = async (feeds: never, fetches: never) => {
      try {
        return await run(feeds, fetches);
      } catch (error) {
        if (binding.kind === 'returns') return {};
        throw binding.kind === 'real' ? error : new Error('sequences are not supported');
      }
    };
    return session;
  };
  return { ...original, InferenceSession: { create } };
});

let model: TinyModel;
beforeAll(() => {
  model = writeTinyModel();
});
afterAll(() => model.close());

async function decoderOf(behaviour: typeof binding.kind) {
  // The probe runs once per process: each behaviour needs the module anew.
  vi.resetModules();
  binding.kind = behaviour;
  const { Decoder } = await import('../../main/inference/decoder.ts');
  return Decoder.open(model.files.fused, { threads: 1, device: 'cpu', contextLength: 256 });
}

it.each(['other-message', 'returns'] as const)(
  'copies outputs, with the same result, where the binding does not throw as expected (%s)',
  async (kind) => {
    const fast = await decoderOf('real');
    const expected = await continueGreedily(fast, promptOf(20), 30);
    const slow = await decoderOf(kind);
    expect([fast.fastCache, slow.fastCache]).toEqual([true, false]);
    expect(await continueGreedily(slow, promptOf(20), 30)).toEqual(expected);
    await fast.close();
    await slow.close();
  },
);
