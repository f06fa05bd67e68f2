// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FakeOptions } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';
import { openPage, preparePage } from './page.tsx';

// Monaco needs a real layout.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({ default: () => null }));
vi.mock('../../../renderer/editor/JsonEditor.tsx', () => ({ default: () => null }));

beforeAll(() => {
  preparePage();
  // Pictures are tested as pictures; here is no canvas to draw on.
  HTMLCanvasElement.prototype.getContext = () => null;
});
afterEach(cleanup);

const base = 'SmolLM2-135M-Instruct';
const variant = 'SmolLM2-135M-Instruct/int4';

async function open(options: FakeOptions = {}) {
  const page = openPage(options);
  await waitFor(() => expect(page.studio.models.store.getState().models).not.toBeNull());
  return page;
}
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const region = (name: string) => within(screen.getByRole('region', { name }));

const openPair = async (options: FakeOptions = {}, pair = [base, variant]) => {
  const page = await open(options);
  page.studio.inspectPair(pair[0] ?? '', pair[1] ?? '', 'Once upon a time there was a robot');
  await screen.findByRole('combobox', { name: 'Base' });
  return page;
};
const compare = async () => {
  fireEvent.click(screen.getAllByRole('button', { name: 'Compare' })[0] ?? document.body);
  await screen.findByRole('heading', { name: 'Token by token' });
};

/** What a button that saves offers. */
const offers = async (label: string): Promise<string[]> => {
  fireEvent.click(button(label));
  const items = await screen.findAllByRole('menuitem');
  return items.map(({ textContent }) => textContent);
};

describe('two models side by side', () => {
  it('opens with the pair and the text that another view names', async () => {
    const { studio } = await openPair();
    expect(screen.getByRole('combobox', { name: 'Base' })).toHaveProperty('value', base);
    expect(screen.getByRole('combobox', { name: 'Variant' })).toHaveProperty('value', variant);
    expect(studio.inspect.store.getState()).toMatchObject({
      tab: 'difference',
      prompt: { kind: 'completion', text: 'Once upon a time there was a robot' },
    });
  });

  it('says where the two part and what both gave the token, and walks by arrow keys', async () => {
    await openPair();
    await compare();
    const tokens = region('Token by token');
    expect(tokens.getByText(/They part at written token 10 of 32/).textContent).toContain('␣wood');
    const values = tokens.getByRole('status', { name: 'Values of the token' });
    expect(values.textContent).toContain('token 18 written by the base');
    expect(values.textContent).toContain('42.0 %');
    const text = tokens.getByRole('group', { name: 'Text of both models' });
    expect(text.querySelector('[data-mark="divergence"]')?.textContent).toBe(' Every');
    fireEvent.keyDown(text, { key: 'Home' });
    expect(values.textContent).toContain('token 1 of the prompt');
    fireEvent.keyDown(text, { key: 'ArrowRight' });
    expect(values.textContent).toContain('token 2 of the prompt');
  });

  it('is opened from the details of a variant, begun by the key that runs, and stopped by Escape', async () => {
    const { studio } = await open({ stepMs: 20 });
    studio.showModel(variant);
    fireEvent.click(await screen.findByRole('button', { name: 'Compare with its parent' }));
    await screen.findByRole('combobox', { name: 'Base' });
    expect(studio.difference.store.getState()).toMatchObject({ base, variant });
    fireEvent.keyDown(window, { key: 'Enter', ctrlKey: true });
    await screen.findByRole('progressbar', { name: 'Progress of the comparison' });
    fireEvent.keyDown(window, { key: 'Escape' });
    expect(studio.difference.store.getState().comparison).toEqual({ kind: 'idle' });
  });

  it('shows the head that was chosen, by list or by arrow keys', async () => {
    const { studio } = await openPair();
    await compare();
    await screen.findByRole('heading', { name: 'Layer 2, head 1' });
    fireEvent.click(button('Layer 3, head 1'));
    await screen.findByRole('heading', { name: 'Layer 3, head 1' });
    fireEvent.keyDown(screen.getByRole('group', { name: /^Heads by layer/ }), { key: 'ArrowDown' });
    expect(studio.difference.store.getState().head).toEqual({ layer: 4, head: 1 });
    expect(await screen.findByText(/It changed most where/)).toBeDefined();
    const maps = screen.getByRole('group', { name: /^Three maps of the head/ });
    fireEvent.keyDown(maps, { key: 'ArrowLeft' });
    const values = screen.getByRole('status', { name: 'Values under the pointer' });
    expect(values.textContent).toMatch(/looks at .*base 0\.\d+, variant 0\.\d+, difference/);
  });

  it('offers to compare again where what was compared is no longer held', async () => {
    const { studio } = await openPair();
    await compare();
    const { comparison } = studio.difference.store.getState();
    if (comparison.kind !== 'done') throw new Error('nothing was compared');
    const result = { ...comparison.result, id: 'difference-of-yesterday' };
    studio.difference.store.setState({ comparison: { kind: 'done', result } });
    const alert = await region('Maps of the head').findByRole('alert');
    expect(alert.textContent).toContain('no longer held: difference-of-yesterday');
    fireEvent.click(within(alert).getByRole('button', { name: 'Run again' }));
    expect(await screen.findByText(/It changed most where/)).toBeDefined();
  });

  it('finds what is to blame and opens the repaired recipe, which can be taken back', async () => {
    const { studio } = await openPair();
    await compare();
    const before = studio.recipe.store.getState();
    fireEvent.click(button('Find the layers to blame'));
    const blame = region('What is to blame');
    await blame.findByText(/One layer is enough to bring/);
    expect(blame.getByRole('checkbox', { name: 'Keep blocks.2.mlp.down' })).toHaveProperty(
      'checked',
      true,
    );
    fireEvent.click(blame.getByRole('button', { name: 'Make a repaired recipe' }));
    await screen.findByRole('heading', { name: 'Compress' });
    expect(studio.recipe.store.getState().model).toBe(base);
    expect(JSON.parse(studio.recipe.store.getState().text)).toMatchObject({
      name: 'int4-repaired',
      passes: [{ targets: ['blocks.**', '!blocks.2.mlp.down'] }, { bits: 8 }],
    });
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(studio.recipe.store.getState()).toMatchObject({
      model: before.model,
      text: before.text,
    });
  });

  it('shows suspects while the search goes on, and stops', async () => {
    await openPair({ stepMs: 20 });
    await compare();
    fireEvent.click(button('Find the layers to blame'));
    const blame = region('What is to blame');
    await blame.findByRole('img', { name: /^Effect of/ });
    fireEvent.click(blame.getByRole('button', { name: 'Stop' }));
    expect(await blame.findByRole('button', { name: 'Find the layers to blame' })).toBeDefined();
  });

  it('offers to compare tokenizers where vocabularies differ, before any work', async () => {
    const { studio } = await openPair({}, ['tiny-stories', variant]);
    await screen.findByText(/cut text into different tokens/);
    fireEvent.click(button('Compare their tokenizers'));
    expect(studio.inspect.store.getState()).toMatchObject({ tab: 'tokenizer', model: variant });
    await screen.findByRole('heading', { name: 'Two tokenizers' });
  });

  it('saves what it shows: pictures, tables, arrays', async () => {
    const saved: Blob[] = [];
    URL.createObjectURL = (blob) => (saved.push(blob as Blob), 'blob:saved');
    URL.revokeObjectURL = () => {};
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
    await openPair();
    await compare();
    expect(await offers('Save the values of all tokens')).toEqual(['CSV', 'JSON']);
    fireEvent.click(screen.getByRole('menuitem', { name: 'CSV' }));
    const lines = (await saved[0]?.text())?.split('\r\n') ?? [];
    expect(lines[0]).toMatch(/^index,id,text,written,kl_nats,base_logprob/);
    // The first token, which nothing foretold, has no values; then 40 others and the end.
    expect(lines[1]).toBe('0,100,Once,0,,,,,');
    expect(lines).toHaveLength(1 + 8 + 32 + 1);
    await waitFor(() => expect(screen.queryByRole('menuitem')).toBeNull());
    expect(await offers('Save the divergence of all heads')).toEqual([
      'PNG',
      'SVG',
      'CSV',
      'JSON',
      'NumPy',
    ]);
    fireEvent.click(screen.getByRole('menuitem', { name: 'NumPy' }));
    const bytes = new Uint8Array((await saved[1]?.arrayBuffer()) ?? []);
    expect(new TextDecoder('latin1').decode(bytes.subarray(1, 6))).toBe('NUMPY');
    click.mockRestore();
  });

  it('explains instead of a grid where the heads are not the same', async () => {
    const pruned = { ...records[2], name: `${base}/heads-25` };
    await openPair({ models: [...records, pruned] }, [base, pruned.name]);
    await compare();
    expect(screen.getByText(/have not the same heads/)).toBeDefined();
    expect(screen.getByRole('heading', { name: 'Residual stream' })).toBeDefined();
    expect(screen.queryByRole('heading', { name: 'Most changed' })).toBeNull();
  });

  it('names the next step where the prompt is longer than the context', async () => {
    const { studio } = await openPair();
    studio.inspect.setPrompt({ kind: 'completion', text: 'word '.repeat(9000) });
    fireEvent.click(screen.getAllByRole('button', { name: 'Compare' })[0] ?? document.body);
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('the context holds 8192');
    expect(within(alert).getByRole('button', { name: 'Shorten the prompt' })).toBeDefined();
  });

  it('teaches how to get a variant where there is none', async () => {
    const { studio } = await open();
    studio.inspectModel('tiny-stories');
    studio.inspect.setTab('difference');
    await screen.findByText(/this one has none yet/);
    fireEvent.click(button('Make a variant…'));
    expect(studio.navigation.store.getState().view).toBe('compress');
  });
});

describe('attribution', () => {
  it('colours the prompt by effect and says what a part does', async () => {
    const { studio } = await open();
    studio.inspectModel('tiny-stories');
    studio.inspect.setTab('attribution');
    studio.inspect.setPrompt({ kind: 'completion', text: 'A robot. It was small' });
    fireEvent.click(
      (await screen.findAllByRole('button', { name: 'Attribute' }))[0] ?? document.body,
    );
    await screen.findByRole('heading', { name: 'Parts by effect' });
    expect(screen.getByText(/Finite differences by leaving out, not gradients/)).toBeDefined();
    const text = screen.getByRole('group', { name: 'Prompt coloured by effect' });
    expect(text.textContent).toBe('A robot. It was small');
    fireEvent.keyDown(text, { key: 'Home' });
    const values = screen.getByRole('status', { name: 'Values of the part' });
    expect(values.textContent).toMatch(/^Atoken 1 of 6.*without it$/);
  });
});

describe('tokenizers', () => {
  it('show ids, bytes and fallback of every token, and two cuts side by side', async () => {
    const { studio } = await open();
    studio.inspectModel('tiny-stories');
    studio.inspect.setTab('tokenizer');
    studio.tokenizer.change({ text: 'Hello 🙂', other: base });
    const cards = within(await screen.findByRole('region', { name: 'Tokens with ids and bytes' }));
    expect(cards.getByText('f0')).toBeDefined();
    expect(document.querySelectorAll('[data-fallback="byte"] > :first-child')).toHaveLength(4);
    const both = await screen.findByRole('region', { name: 'Both cuts' });
    expect(both.textContent).toContain('HelloHello');
  });

  it('colour a text by the loss of the models that were chosen', async () => {
    const { studio } = await open();
    studio.inspectModel(base);
    studio.inspect.setTab('tokenizer');
    studio.tokenizer.change({ models: [base, variant] });
    fireEvent.click(await screen.findByRole('button', { name: 'Read the text' }));
    const losses = region('Loss by token');
    await losses.findByRole('row', { name: new RegExp(`^${variant} `) });
    const text = losses.getByRole('group', { name: 'Text coloured by loss' });
    fireEvent.keyDown(text, { key: 'Home' });
    const values = losses.getByRole('status', { name: 'Values of the token' });
    expect(values.textContent).toContain('the first token is not scored');
    fireEvent.keyDown(text, { key: 'ArrowRight' });
    expect(values.textContent).toMatch(/nats .*KL/);
  });
});

describe('weights', () => {
  it('show the layer that is chosen beside that of the parent, and walk by arrow keys', async () => {
    const { studio } = await open();
    studio.inspectModel(variant);
    studio.inspect.setTab('weights');
    await screen.findByRole('heading', { name: 'blocks.0.attn.qkv' });
    await screen.findByText('8.30 %');
    fireEvent.keyDown(button(/^blocks\.0\.attn\.qkv/), { key: 'ArrowDown' });
    await screen.findByRole('heading', { name: 'blocks.0.attn.o' });
    expect(await screen.findByRole('heading', { name: 'Error by place' })).toBeDefined();
    expect(await screen.findByRole('img', { name: /^Tokens nearest to/ })).toBeDefined();
  });

  it('leave out the comparison where the model was made from none', async () => {
    const { studio } = await open();
    studio.inspectModel('tiny-stories');
    studio.inspect.setTab('weights');
    await screen.findByRole('heading', { name: 'Singular values' });
    expect(screen.queryByRole('heading', { name: 'Error by place' })).toBeNull();
  });
});
