import { describe, expect, it } from 'vitest';
import { createModels, modelKey } from '../../../renderer/state/models.ts';
import { createFakeEngine } from '../fakeEngine.ts';

const names = (models: ReturnType<typeof createModels>) =>
  models.store.getState().models?.map(({ name }) => name);

describe('models', () => {
  it('open a folder in place, list it behind the library and select it', async () => {
    const models = createModels(createFakeEngine({ models: [] }).client);
    await models.load();

    expect(await models.openFolder('/models/SmolLM2-135M')).toBe('/models/SmolLM2-135M');

    expect(names(models)).toEqual(['SmolLM2-135M']);
    expect(models.store.getState().selected).toBe('/models/SmolLM2-135M');
  });

  it('forget a folder opened in place, and bring it back', async () => {
    const models = createModels(createFakeEngine({ models: [] }).client);
    await models.openFolder('/models/stories15M');
    const [folder] = models.store.getState().models ?? [];
    if (!folder) throw new Error('the folder is not listed');

    const restore = await models.remove(folder);
    expect(names(models)).toEqual([]);
    await restore();

    expect(names(models)).toEqual(['stories15M']);
  });

  it('say why a folder cannot be opened', async () => {
    const models = createModels(createFakeEngine().client);

    expect(await models.openFolder('/nowhere')).toBeNull();

    expect(models.store.getState().importing).toEqual({
      kind: 'failed',
      path: '/nowhere',
      failure: {
        code: 'file_missing',
        message: 'there is no config.json in this folder: /nowhere',
        data: { file: '/nowhere/config.json' },
      },
    });
  });

  it('import a folder with progress', async () => {
    const models = createModels(createFakeEngine({ models: [] }).client);
    const fractions: number[] = [];
    models.store.subscribe(({ importing }) => {
      if (importing.kind === 'importing' && importing.progress?.fraction !== undefined)
        fractions.push(importing.progress.fraction);
    });

    expect(await models.importFolder('/models/stories15M')).toBe('stories15M');

    expect([...new Set(fractions)]).toEqual([0.1, 0.35, 0.7, 1]);
    expect(models.store.getState().importing).toEqual({ kind: 'idle' });
  });

  it('bring a removed model back', async () => {
    const models = createModels(createFakeEngine().client);
    await models.load();
    const model = models.store.getState().models?.find(({ source }) => source === 'library');
    if (!model) throw new Error('the library is empty');

    const restore = await models.remove(model);
    expect(names(models)).not.toContain(model.name);
    await restore();

    expect(names(models)).toContain(modelKey(model));
  });
});
