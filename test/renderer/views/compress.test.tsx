// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonEditorProps } from '../../../renderer/editor/JsonEditor.tsx';
import { interruptedJob } from '../fakeJobs.ts';
import type { FakeOptions } from '../fakeEngine.ts';
import { openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; what stands in its place keeps its contract.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({ default: () => null }));
vi.mock('../../../renderer/editor/JsonEditor.tsx', () => ({
  default: ({ label, value, onChange }: JsonEditorProps) => (
    <textarea aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

beforeAll(preparePage);
afterEach(cleanup);

/** Opens the window where models are cut down, with the embedded one chosen. */
async function open(options: FakeOptions = {}) {
  const page = openPage(options);
  await waitFor(() => expect(page.studio.recipe.store.getState().model).toBe('tiny-stories'));
  fireEvent.click(screen.getByRole('link', { name: 'Compress' }));
  await screen.findByRole('button', { name: 'blocks.0.attn.qkv' });
  return page;
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const jobs = () => within(screen.getByRole('region', { name: 'Jobs' }));
const written = (studio: Awaited<ReturnType<typeof open>>['studio']): unknown =>
  JSON.parse(studio.recipe.store.getState().text);

describe('the view that compresses', () => {
  it('makes a variant of the embedded model and opens it in the playground', async () => {
    const { studio } = await open();
    fireEvent.click(button('Run recipe'));
    const row = await jobs().findByRole('row', { name: /tiny-stories\/int4-rtn Finished/ });
    expect(row).toBeDefined();
    expect(jobs().getByText(/× smaller/)).toBeDefined();

    fireEvent.click(await jobs().findByRole('button', { name: 'Open in playground' }));

    expect(studio.navigation.store.getState().view).toBe('playground');
    expect(studio.draft.store.getState().model).toBe('tiny-stories/int4-rtn');
  });

  it('shows the progress of a job under its name and cancels it', async () => {
    await open({ layerMs: 20 });
    fireEvent.keyDown(window, { key: 'Enter', ctrlKey: true });
    await jobs().findByRole('progressbar', { name: 'Progress of tiny-stories/int4-rtn' });
    fireEvent.click(await jobs().findByRole('button', { name: 'Cancel' }));
    expect(
      await jobs().findByRole('row', { name: /tiny-stories\/int4-rtn Cancelled/ }),
    ).toBeDefined();
  });

  it('writes patterns as blocks, rows and layers are clicked', async () => {
    const { studio } = await open();
    fireEvent.click(button('attn.qkv of every block'));
    expect(written(studio)).toMatchObject({
      passes: [{ targets: ['blocks.**', '!blocks.*.attn.qkv'] }],
    });
    expect(button('blocks.3.attn.qkv').getAttribute('aria-pressed')).toBe('false');
    fireEvent.click(button('attn.qkv of every block'));
    fireEvent.click(button('Block 4'));
    fireEvent.click(button('lm_head'));
    expect(written(studio)).toMatchObject({ passes: [{ targets: ['**', '!blocks.4.**'] }] });
    expect(screen.getByText(/17 of 21 layers/)).toBeDefined();
  });

  it('moves through the layers by arrows, with one stop for Tab', async () => {
    await open();
    const group = screen.getByRole('group', { name: 'Layers of the model' });
    const stops = () =>
      within(group)
        .getAllByRole('button')
        .filter(({ tabIndex }) => tabIndex === 0);
    expect(stops()).toEqual([button('blocks.0.attn.qkv')]);
    button('blocks.0.attn.qkv').focus();
    fireEvent.keyDown(button('blocks.0.attn.qkv'), { key: 'ArrowRight' });
    fireEvent.keyDown(button('blocks.1.attn.qkv'), { key: 'ArrowDown' });
    expect(document.activeElement).toBe(button('blocks.1.attn.o'));
    expect(stops()).toEqual([button('blocks.1.attn.o')]);
  });

  it('moves and removes passes by keyboard, and takes a removal back', async () => {
    const { studio } = await open();
    studio.recipe.setText(
      '{ "name": "x", "passes": [{ "pass": "quantize-rtn" }, { "pass": "prune-heads" }] }',
    );
    fireEvent.keyDown(
      await screen.findByRole('button', { name: /Cut attention heads/, expanded: false }),
      {
        key: 'ArrowUp',
        altKey: true,
      },
    );
    expect(written(studio)).toMatchObject({
      passes: [{ pass: 'prune-heads' }, { pass: 'quantize-rtn' }],
    });
    fireEvent.click(button('Remove Cut attention heads'));
    expect(written(studio)).toMatchObject({ passes: [{ pass: 'quantize-rtn' }] });
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(written(studio)).toMatchObject({
      passes: [{ pass: 'prune-heads' }, { pass: 'quantize-rtn' }],
    });
  });

  it('marks what differs from its default and resets it', async () => {
    const { studio } = await open();
    fireEvent.click(screen.getByRole('switch', { name: 'Symmetric' }));
    expect(written(studio)).toMatchObject({ passes: [{ symmetric: false }] });
    fireEvent.click(button('Reset Symmetric to its default'));
    expect(written(studio)).toMatchObject({ passes: [{ pass: 'quantize-rtn' }] });
    expect(screen.queryByRole('button', { name: /^Reset/ })).toBeNull();
  });

  it('shows the text beside the form, and locks the form while the text cannot be read', async () => {
    await open();
    fireEvent.click(screen.getByRole('radio', { name: 'JSON' }));
    const text = await screen.findByLabelText('Recipe as JSON');
    fireEvent.change(text, {
      target: { value: '{ "name": "mine", "passes": [{ "pass": "fuse" }] }' },
    });
    fireEvent.click(screen.getByRole('radio', { name: 'Form' }));
    expect(screen.getByRole('textbox', { name: 'Name' })).toHaveProperty('value', 'mine');

    fireEvent.click(screen.getByRole('radio', { name: 'JSON' }));
    fireEvent.change(screen.getByLabelText('Recipe as JSON'), { target: { value: '{ "name": ' } });
    fireEvent.click(screen.getByRole('radio', { name: 'Form' }));
    expect(screen.getByRole('alert').textContent).toContain('cannot be read');
    expect(screen.getByRole('textbox', { name: 'Name' }).matches(':disabled')).toBe(true);
    expect(screen.getByRole('textbox', { name: 'Name' })).toHaveProperty('value', 'mine');
    expect(button('Run recipe')).toHaveProperty('disabled', true);
  });

  it('predicts size, memory and time, and says why it cannot', async () => {
    const { studio } = await open();
    const estimate = within(screen.getByRole('region', { name: 'Estimate' }));
    await estimate.findByText('4.50 MB');
    studio.recipe.setText(
      '{ "name": "x", "passes": [{ "pass": "quantize-rtn", "targets": ["block.*"] }] }',
    );
    const alert = await estimate.findByRole('alert');
    expect(alert.textContent).toContain('no layer has such a name: block.*');
  });

  it('offers to resume what was interrupted, with what it had done', async () => {
    await open({ jobs: [interruptedJob] });
    await jobs().findByRole('row', { name: /tiny-stories\/int4-gptq Interrupted/ });
    await jobs().findByText(/What was finished is kept/);
    fireEvent.click(jobs().getByRole('button', { name: 'Resume' }));
    expect(
      await jobs().findByRole('row', { name: /tiny-stories\/int4-gptq Finished/ }),
    ).toBeDefined();
  });

  it('shows in the library how a variant was made', async () => {
    await open();
    fireEvent.click(button('Run recipe'));
    fireEvent.click(await jobs().findByRole('button', { name: 'Show in library' }));
    await screen.findByRole('heading', { name: 'tiny-stories/int4-rtn' });
    fireEvent.click(screen.getByRole('tab', { name: 'Report' }));
    await screen.findByText('Recipe int4-rtn');
    expect(screen.getByText(/1\. Quantize by rounding \(RTN\): 4\.50 MB/)).toBeDefined();
  });

  it('teaches and offers one action where there is no model', async () => {
    openPage({ models: [] });
    await screen.findByText('Engine ready');
    fireEvent.click(screen.getByRole('link', { name: 'Compress' }));
    const empty = await screen.findByText(/open a model first/);
    expect(empty.parentElement?.querySelectorAll('button')).toHaveLength(1);
  });
});
