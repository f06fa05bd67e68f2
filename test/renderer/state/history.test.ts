import { beforeEach, describe, expect, it } from 'vitest';
import { generateRequestSchema } from '../../../preload/contract/index.ts';
import { createHistory, visibleRuns } from '../../../renderer/state/history.ts';
import { createFakeEngine } from '../fakeEngine.ts';

const prompts = ['The red ball', 'The blue ball', 'A garden'];

describe('history', () => {
  let history: ReturnType<typeof createHistory>;
  const ids = () => visibleRuns(history.store.getState()).map(({ id }) => id);

  beforeEach(async () => {
    const engine = createFakeEngine({ text: 'x' });
    for (const text of prompts) {
      const request = generateRequestSchema.parse({
        model: 'tiny-stories',
        prompt: { kind: 'completion', text },
      });
      for await (const event of await engine.client.generate(request)) void event;
    }
    history = createHistory(engine.client);
    await history.load();
  });

  it('lists the newest first', () => {
    expect(ids()).toEqual(['run-3', 'run-2', 'run-1']);
  });

  it('finds runs by their text', async () => {
    await history.search('ball');
    expect(ids()).toEqual(['run-2', 'run-1']);
  });

  it('hides a run at once and brings it back on undo', async () => {
    history.remove('run-2');
    expect(ids()).toEqual(['run-3', 'run-1']);
    history.undo('run-2');
    await history.settle('run-2');
    expect(ids()).toEqual(['run-3', 'run-2', 'run-1']);
  });

  it('deletes for good once the offer to undo has passed', async () => {
    history.remove('run-2');
    await history.settle('run-2');
    await history.load();
    expect(ids()).toEqual(['run-3', 'run-1']);
  });

  it('gives the failure of a run that is not there to its caller', async () => {
    await expect(history.get('run-9')).rejects.toMatchObject({ code: 'not_found' });
  });
});
