import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { int64, Session } from '../../main/inference/session.ts';
import { writeTinyModel, type TinyModel } from './tinyDecoder.ts';

let model: TinyModel;
beforeAll(() => {
  model = writeTinyModel();
});
afterAll(() => model.close());

describe('opening a session', () => {
  it('says of a device that is not there to try another', async () => {
    const device = process.platform === 'win32' ? 'coreml' : 'dml';
    await expect(Session.open(model.files.fused, { threads: 1, device })).rejects.toMatchObject({
      code: 'runtime_failed',
      message: expect.stringMatching(`^${device} cannot run this model here, try the device cpu: `),
      data: { file: model.files.fused, value: device },
    });
  });

  it('reads the names, types and shapes that the graph declares', async () => {
    const session = await Session.open(model.files.fused, { threads: 1, device: 'cpu' });
    expect(session.canRunInto).toBe(true);
    expect(session.inputs[0]).toEqual({
      name: 'input_ids',
      dataType: 'int64',
      shape: ['batch_size', 'sequence_length'],
    });
    expect(session.outputs.slice(0, 2)).toEqual([
      { name: 'fetch_guard', dataType: 'sequence', shape: [] },
      { name: 'logits', dataType: 'float32', shape: ['batch_size', 'logits_count', 300] },
    ]);
    await session.close();
  });

  it('fails with the file where the runtime refuses it', async () => {
    const file = join(model.folder, 'no-model.onnx');
    writeFileSync(file, 'this is no model');
    await expect(Session.open(file, { threads: 1, device: 'cpu' })).rejects.toMatchObject({
      code: 'runtime_failed',
      data: { file },
    });
  });

  it('fails with the device where this machine lacks it', async () => {
    // No system has both.
    const device = process.platform === 'darwin' ? 'dml' : 'coreml';
    const file = model.files.fused;
    await expect(Session.open(file, { threads: 1, device })).rejects.toMatchObject({
      code: 'runtime_failed',
      message: expect.stringContaining(device),
      data: { file, value: device },
    });
  });
});

describe('running', () => {
  it('passes on every failure but that of the guard, with the node at fault', async () => {
    const session = await Session.open(model.files.plain, { threads: 1, device: 'cpu' });
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => [name, int64(BigInt64Array.of(1n), [1, 1])]),
    );
    await expect(session.run(feeds, ['logits'])).rejects.toMatchObject({
      code: 'runtime_failed',
      data: { file: model.files.plain },
    });
    await expect(session.runInto(feeds, {})).rejects.toMatchObject({ code: 'runtime_failed' });
    await session.close();
  });
});
