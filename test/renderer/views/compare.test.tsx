// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FakeOptions } from '../fakeEngine.ts';
import { benches, evaluations, oldBenches, variants } from '../fakeMeasurements.ts';
import { openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; nothing here edits text.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({ default: () => null }));
// What was saved, and under which name.
const saved = vi.hoisted((): { name: string; text: string }[] => []);
vi.mock(import('../../../renderer/ui/save.ts'), async (original) => ({
  ...(await original()),
  saveText: (name, _type, text) => void saved.push({ name, text }),
}));

beforeAll(() => {
  preparePage();
  // The table draws the rows that are in sight.
  Object.defineProperty(HTMLElement.prototype, 'offsetHeight', { get: () => 768 });
  Object.defineProperty(HTMLElement.prototype, 'offsetWidth', { get: () => 1024 });
});
afterEach(cleanup);

const measured: FakeOptions = { models: variants, evaluations, benches };

/** Opens the window where models are compared. */
async function open(options: FakeOptions = measured) {
  const page = openPage(options);
  await waitFor(() => expect(page.studio.models.store.getState().models).not.toBeNull());
  await waitFor(() => expect(page.studio.measurements.store.getState().benches).not.toBeNull());
  fireEvent.click(screen.getByRole('link', { name: 'Compare' }));
  await screen.findByRole('heading', { name: 'Compare' });
  return page;
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const region = (name: string) => within(screen.getByRole('region', { name }));
const row = async (name: string) =>
  within(await screen.findByRole('region', { name: 'Models compared' })).findByRole('row', {
    name: new RegExp(name),
  });
const names = () =>
  region('Models compared')
    .getAllByRole('rowheader')
    .map(({ title }) => title.replace('tiny-stories/', ''));

describe('the view that compares', () => {
  it('teaches what it is for, measures from there, and shows points as they arrive', async () => {
    const { studio } = await open({ models: variants.slice(0, 3), layerMs: 5 });
    await screen.findByText(/Every model becomes a point of quality against speed/);
    const [, fromEmpty] = screen.getAllByRole('button', { name: 'Measure…' });
    if (!fromEmpty) throw new Error('the empty view has no button');
    fireEvent.click(fromEmpty);
    const dialog = within(await screen.findByRole('dialog', { name: 'Measure' }));
    await dialog.findByText(/^6 jobs/);
    fireEvent.click(dialog.getByRole('button', { name: 'Measure' }));

    expect(await screen.findByText('1 of 3 models have both')).toBeDefined();
    expect(await screen.findByText('3 of 3 models have both')).toBeDefined();
    expect(studio.measurements.store.getState().evaluations?.map(({ metric }) => metric)).toEqual(
      expect.arrayContaining(['perplexity', 'kl', 'top-1']),
    );
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Measuring' })).toBeNull());
  });

  it('shows what is being measured and cancels it', async () => {
    const { studio } = await open({ ...measured, layerMs: 50 });
    studio.compare.openMeasure(['tiny-stories']);
    const dialog = within(await screen.findByRole('dialog', { name: 'Measure' }));
    fireEvent.click(dialog.getByRole('button', { name: 'Measure' }));
    fireEvent.click(
      await screen.findByRole('button', { name: 'Cancel Perplexity of tiny-stories' }),
    );
    fireEvent.click(
      await screen.findByRole('button', { name: 'Cancel Speed and memory of tiny-stories' }),
    );
    await waitFor(() =>
      expect(studio.jobs.store.getState().jobs?.map(({ state }) => state)).toEqual([
        'cancelled',
        'cancelled',
      ]),
    );
    expect(studio.measurements.store.getState().evaluations).toHaveLength(evaluations.length);
  });

  it('lists what has no value on an axis, and measures it like the others', async () => {
    await open();
    expect(region('Not measured yet').getByText('1 model has no Perplexity yet')).toBeDefined();
    expect(screen.getByText('10 of 12 models have both')).toBeDefined();
    fireEvent.click(button('Measure Perplexity of 1'));
    expect(await screen.findByText('11 of 12 models have both')).toBeDefined();
    fireEvent.click(button('Measure Decode P50 of 1'));
    expect(await screen.findByText('12 of 12 models have both')).toBeDefined();
    await waitFor(() =>
      expect(screen.queryByRole('region', { name: 'Not measured yet' })).toBeNull(),
    );
  });

  it('counts what reaches goals in words, selects it, and says what it cannot read', async () => {
    const { studio } = await open();
    const words = screen.getByRole('textbox', { name: 'Goals in words' });
    fireEvent.change(words, { target: { value: 'at most 2.4 ms and at least 96 % of the base' } });
    fireEvent.keyDown(words, { key: 'Enter' });
    expect(await screen.findByText('2 of 12 reach them')).toBeDefined();
    fireEvent.click(button('Select'));
    expect(studio.compare.store.getState().selected).toEqual(
      new Set(['tiny-stories/int4-gptq', 'tiny-stories/int4-awq']),
    );
    fireEvent.click(button('Remove the goal for Decode P50'));
    expect(await screen.findByText('6 of 12 reach them')).toBeDefined();

    const again = screen.getByRole('textbox', { name: 'Goals in words' });
    expect(again).toHaveProperty('value', 'Perplexity at least 96 % of the base');
    fireEvent.change(again, { target: { value: 'at most 3 miles' } });
    fireEvent.blur(again);
    expect(await screen.findByText('there is no such unit: miles')).toBeDefined();
    expect(studio.compare.store.getState().goals).toHaveLength(1);
  });

  it('sorts the table, what was not measured last, and saves it with intervals', async () => {
    await open();
    fireEvent.click(button('Perplexity'));
    await waitFor(() => expect(names()[1]).toBe('fp16'));
    expect(names()[0]).toBe('tiny-stories');
    expect(names().at(-1)).toBe('heads-25');
    fireEvent.click(button('Perplexity'));
    await waitFor(() => expect(names()[0]).toBe('int2-gptq'));
    expect(names().at(-1)).toBe('heads-25');
    const cells = within(await row('int4-rtn')).getAllByRole('cell');
    expect(cells[1]?.textContent).toBe('4.145± 0.087 · n 200');

    fireEvent.click(button('Save the table'));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'CSV' }));
    const csv = saved.at(-1)?.text.split('\r\n') ?? [];
    expect(csv[0]).toMatch(/^model,quality:perplexity,quality:perplexity_low/);
    expect(csv.find((line) => line.startsWith('tiny-stories/heads-25'))).toMatch(
      /^tiny-stories\/heads-25,,,,,,,,,,,,,4\.\d+/,
    );
    fireEvent.click(button('Save the table'));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Markdown' }));
    expect(saved.at(-1)?.text).toContain('| tiny-stories/int4-rtn | 4.145 ± 0.087 (n 200) |');
  });

  it('opens a point in the playground, where it is compressed, in the library and in Inspect', async () => {
    const { studio } = await open();
    const act = async (name: string): Promise<string> => {
      studio.navigation.go('compare');
      await row('int4-rtn');
      fireEvent.click(button('What to do with tiny-stories/int4-rtn'));
      fireEvent.click(await screen.findByRole('menuitem', { name }));
      return studio.navigation.store.getState().view;
    };
    expect(await act('Open in playground')).toBe('playground');
    expect(studio.draft.store.getState().model).toBe('tiny-stories/int4-rtn');
    expect(await act('Compress from here')).toBe('compress');
    expect(studio.recipe.store.getState().model).toBe('tiny-stories/int4-rtn');
    expect(await act('Show in library')).toBe('library');
    expect(await act('Inspect against tiny-stories')).toBe('inspect');
    expect(studio.difference.store.getState()).toMatchObject({
      base: 'tiny-stories',
      variant: 'tiny-stories/int4-rtn',
    });
  });

  it('deletes a point and takes that back', async () => {
    await open();
    await row('int4-rtn');
    fireEvent.click(button('What to do with tiny-stories/int4-rtn'));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    expect(await screen.findByText('9 of 11 models have both')).toBeDefined();
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByText('10 of 12 models have both')).toBeDefined();
  });

  it('reads a text with selected variants and opens a token where they part in Inspect', async () => {
    const { studio } = await open();
    studio.compare.select(['tiny-stories/int4-rtn', 'tiny-stories/int2-gptq']);
    fireEvent.click(screen.getByRole('tab', { name: 'Along a text' }));
    fireEvent.click(await screen.findByRole('button', { name: 'Read' }));
    const peaks = within(await screen.findByRole('table', { name: 'Where they part most' }));
    const [first] = peaks.getAllByRole('button', { name: /^Inspect token/ });
    if (!first) throw new Error('no token is offered');
    fireEvent.click(first);
    expect(studio.navigation.store.getState().view).toBe('inspect');
    expect(studio.difference.store.getState().base).toBe('tiny-stories');
    expect(studio.inspect.store.getState().prompt).toMatchObject({
      text: studio.textDivergence.store.getState().text,
    });
  });

  it('tells the history of a model with what changed, and deletes a measurement', async () => {
    const { studio } = await open({ ...measured, benches: [...benches, ...oldBenches] });
    fireEvent.click(screen.getByRole('tab', { name: 'History' }));
    const list = within(await screen.findByRole('region', { name: 'Measurements' }));
    expect(
      list.getAllByText('onnxruntime 1.28.0 → 1.30.0, moved beyond its interval').length,
    ).toBeGreaterThan(0);
    const before = studio.measurements.store.getState().benches?.length ?? 0;
    const [remove] = list.getAllByRole('button', {
      name: 'Delete this measurement of speed: Decode P50',
    });
    if (!remove) throw new Error('nothing can be deleted');
    fireEvent.click(remove);
    fireEvent.click(await screen.findByRole('button', { name: 'Close' }));
    await waitFor(() =>
      expect(studio.measurements.store.getState().benches).toHaveLength(before - 1),
    );
  });

  it('makes variants with recipes and measures each of them', async () => {
    const { studio } = await open({ models: variants.slice(0, 1) });
    fireEvent.click(screen.getAllByRole('button', { name: 'Measure…' })[0]);
    const dialog = within(await screen.findByRole('dialog', { name: 'Measure' }));
    fireEvent.click(dialog.getByRole('radio', { name: 'Variants of recipes' }));
    fireEvent.click(dialog.getByRole('combobox', { name: 'Recipes' }));
    for (const name of ['int4-gptq', 'int4-rtn'])
      fireEvent.click(await screen.findByRole('option', { name }));
    fireEvent.click(dialog.getByRole('button', { name: 'Make and measure' }));
    expect(await screen.findByText('3 of 3 models have both')).toBeDefined();
    expect(studio.models.store.getState().models?.map(({ name }) => name)).toEqual([
      'tiny-stories',
      'tiny-stories/int4-gptq',
      'tiny-stories/int4-rtn',
    ]);
  });
});
