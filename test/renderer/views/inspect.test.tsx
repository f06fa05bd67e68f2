// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TextEditorProps } from '../../../renderer/editor/TextEditor.tsx';
import type { FakeOptions } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';
import { openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; what stands in its place keeps its contract.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({
  default: ({ label, value, onChange }: TextEditorProps) => (
    <textarea aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

beforeAll(() => {
  preparePage();
  // Pictures are tested as pictures; here is no canvas to draw on.
  HTMLCanvasElement.prototype.getContext = () => null;
});
afterEach(cleanup);

/** Opens the window where models are looked into, with the embedded one chosen. */
async function open(options: FakeOptions = {}) {
  const page = openPage(options);
  await waitFor(() => expect(page.studio.inspect.store.getState().model).toBe('tiny-stories'));
  fireEvent.click(screen.getByRole('link', { name: 'Inspect' }));
  return page;
}

async function captured(options: FakeOptions = {}, text = 'One two one two one two') {
  const page = await open(options);
  fireEvent.change(await screen.findByLabelText('Prompt'), { target: { value: text } });
  fireEvent.keyDown(window, { key: 'Enter', ctrlKey: true });
  await heads();
  return page;
}

const heads = () => screen.findByRole('group', { name: 'Heads, layer by layer' });
const tab = (name: string) => fireEvent.click(screen.getByRole('tab', { name }));

/** What the first row of the table says of attention to the first token. */
const sinkOfFirst = () => screen.getAllByRole('row')[1]?.querySelectorAll('td')[5]?.textContent;

describe('the view that looks inside', () => {
  it('captures what was typed by the same key that runs a prompt, and says what it took', async () => {
    await captured();
    expect(await screen.findByText('6 tokens captured')).toBeDefined();
    expect(screen.getByText('5 layers × 8 heads')).toBeDefined();
    expect(screen.getByRole('heading', { name: 'Layer 0 · head 0' })).toBeDefined();
  });

  it('walks through the heads by arrows, tells what each does, and opens one by Enter', async () => {
    const { studio } = await captured();
    const sheet = await heads();
    fireEvent.keyDown(sheet, { key: 'ArrowDown' });
    fireEvent.keyDown(sheet, { key: 'ArrowRight' });
    expect(await screen.findByText(/^Layer 1, head 1: .*entropy \d\.\d\d bits/)).toBeDefined();
    expect(studio.inspect.store.getState().shown).toMatchObject({ layer: 0, head: 0 });
    fireEvent.keyDown(sheet, { key: 'Enter' });
    expect(await screen.findByRole('heading', { name: 'Layer 1 · head 1' })).toBeDefined();
  });

  it('tells the exact value of a cell by keyboard, and keeps its row in view', async () => {
    await captured();
    const map = await screen.findByRole('group', { name: /^Map of Layer 0 · head 0/ });
    fireEvent.keyDown(map, { key: 'ArrowLeft' });
    expect(await screen.findByText(/^0\.\d{4}$/)).toBeDefined();
    fireEvent.keyDown(map, { key: 'Enter' });
    const one = await screen.findByRole('complementary', { name: 'One token' });
    expect(within(one).getAllByRole('listitem')).toHaveLength(6);
    fireEvent.click(within(one).getByRole('radio', { name: 'seen by' }));
    expect(within(one).getAllByRole('listitem')).toHaveLength(1);
  });

  it('finds heads by words, in the table too, and says which word it does not know', async () => {
    await captured(
      {},
      'The cat sat on the mat. The cat saw the dog. The dog saw the cat on the mat.',
    );
    const search = screen.getByRole('textbox', { name: 'Find heads that' });
    fireEvent.change(search, { target: { value: 'induction' } });
    expect(await screen.findByText('4 of 40 heads')).toBeDefined();
    fireEvent.click(screen.getByRole('radio', { name: 'Table' }));
    const table = await screen.findByRole('table');
    expect(within(table).getAllByRole('row')).toHaveLength(5);
    fireEvent.change(search, { target: { value: 'induktion' } });
    expect(await screen.findByText(/“induktion” says nothing about heads/)).toBeDefined();
  });

  it('sorts the table by any column, either way', async () => {
    await captured();
    fireEvent.click(screen.getByRole('radio', { name: 'Table' }));
    const column = await screen.findByRole('columnheader', { name: /^Sink/ });
    fireEvent.click(within(column).getByRole('button'));
    expect(Number(sinkOfFirst())).toBeGreaterThan(0.8);
    fireEvent.click(within(column).getByRole('button'));
    expect(Number(sinkOfFirst())).toBeLessThan(0.3);
  });

  it('switches heads off, shows what changes where, and takes it all back', async () => {
    await captured();
    fireEvent.keyDown(await heads(), { key: 'x' });
    fireEvent.click(await screen.findByRole('button', { name: 'Run without it' }));
    expect(await screen.findByText(/mean KL [\d.]+ nats/)).toBeDefined();
    expect(screen.getByText(/KL\(with ‖ without\) [\d.]+ nats/)).toBeDefined();
    expect(screen.getByRole('img', { name: 'Without: the most probable tokens' })).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: 'Reset' }));
    expect(screen.queryByRole('region', { name: 'Heads switched off' })).toBeNull();
  });

  it('shows mean, rollout and flow in the place of one head', async () => {
    const { studio } = await captured();
    for (const [kind, title] of [
      ['rollout', 'Rollout through all layers'],
      ['flow', 'Flow through all layers'],
    ] as const) {
      studio.inspect.show({ kind });
      expect(await screen.findByRole('heading', { name: title })).toBeDefined();
      await screen.findByRole('group', { name: `Map of ${title}; arrows move from cell to cell` });
    }
    studio.inspect.show({ kind: 'mean', layer: 2 });
    expect(
      await screen.findByRole('heading', { name: 'Layer 2 · mean of its heads' }),
    ).toBeDefined();
  });

  it('shows the lens of the same capture and what made the prediction at a token', async () => {
    const { studio } = await captured();
    tab('Lens');
    expect(await screen.findByText(/nats per token, perplexity/)).toBeDefined();
    const grid = await screen.findByRole('group', {
      name: 'Top token of every layer and position',
    });
    fireEvent.keyDown(grid, { key: 'ArrowLeft' });
    expect(studio.inspect.store.getState().position).toBe(4);
    expect(await screen.findByText(/^layer 4, token 4: .* final token .* norm/)).toBeDefined();
    expect(await screen.findByText(/^The logit/)).toBeDefined();
    expect(screen.getByRole('img', { name: 'Logit by layer and head' })).toBeDefined();
  });
});

describe('where there is nothing to show', () => {
  it('says before the run that a prompt is too long, and after it what to do', async () => {
    await open({ models: [{ ...records[0], contextLength: 4 }] });
    fireEvent.change(await screen.findByLabelText('Prompt'), {
      target: { value: 'One two three four five' },
    });
    expect(
      await screen.findByText(/of 4 that the model can read: shorten the prompt/),
    ).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: 'Capture' }));
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('longer than the context of 4 tokens: 5');
    fireEvent.click(within(alert).getByRole('button', { name: 'Shorten the prompt' }));
    expect(document.activeElement).toBe(screen.getByLabelText('Prompt'));
  });

  it('says that no attention was recognised, and what can be done with the model all the same', async () => {
    const { studio } = await open({
      models: [records[0], { ...records[0], name: 'no-attention' }],
    });
    studio.inspect.setModel('no-attention');
    fireEvent.click(await screen.findByRole('button', { name: 'Capture' }));
    expect(await screen.findByText(/no attention is recognised in the graph/)).toBeDefined();
    expect(screen.getByText(/cannot be looked into, but it can be run/)).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: 'Open in playground' }));
    expect(studio.navigation.store.getState().view).toBe('playground');
    expect(studio.draft.store.getState().model).toBe('no-attention');
  });

  it('offers to capture again what is gone with its process', async () => {
    const { engine } = await captured();
    engine.forgetCaptures();
    tab('Lens');
    fireEvent.click(await screen.findByRole('button', { name: 'Capture again' }));
    expect(await screen.findByText(/nats per token, perplexity/)).toBeDefined();
  });

  it('stops a capture by Escape', async () => {
    const { studio } = await open({ stepMs: 500 });
    fireEvent.click(screen.getByRole('button', { name: 'Capture' }));
    expect(
      await screen.findByRole('progressbar', { name: 'Progress of the capture' }),
    ).toBeDefined();
    fireEvent.keyDown(window, { key: 'Escape' });
    expect(studio.inspect.store.getState().main.kind).toBe('none');
    expect(await screen.findByRole('button', { name: 'Capture' })).toBeDefined();
  });
});
