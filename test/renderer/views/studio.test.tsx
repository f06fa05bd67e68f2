// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TextEditorProps } from '../../../renderer/editor/TextEditor.tsx';
import type { FakeOptions } from '../fakeEngine.ts';
import { copied, openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; what stands in its place keeps its contract.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({
  default: ({ label, value, onChange }: TextEditorProps) => (
    <textarea aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

beforeAll(preparePage);
afterEach(cleanup);

const open = (options: FakeOptions = {}) => openPage({ text: 'One two three.', ...options });

const output = () => screen.getByRole('log', { name: 'Output' });
const run = async () => {
  const button = screen.getByRole('button', { name: 'Run' });
  await waitFor(() => expect(button).toHaveProperty('disabled', false));
  fireEvent.click(button);
};
// The last token may be shown before the run has ended and is in the history.
const finished = async () => {
  await screen.findByText('ended at max tokens');
  expect(output().textContent).toContain('One two three.');
};

describe('the window', () => {
  it('answers the example prompt on the embedded model with one key', async () => {
    const { engine, studio } = open();
    await screen.findByText('not loaded');
    await waitFor(() => expect(studio.draft.store.getState().model).toBe('tiny-stories'));

    fireEvent.keyDown(window, { key: 'Enter', ctrlKey: true });

    await finished();
    expect(engine.requests).toMatchObject([
      { model: 'tiny-stories', alternatives: 10, record: true },
    ]);
    const spans = output().querySelectorAll('[data-token]');
    expect([...spans].map((span) => span.textContent)).toEqual(['One', ' two', ' three', '.']);
  });

  it('runs what was typed', async () => {
    const { engine } = open();
    fireEvent.change(await screen.findByLabelText('Prompt'), { target: { value: 'Say it' } });
    await run();
    await finished();
    expect(engine.requests[0]?.prompt).toEqual({ kind: 'completion', text: 'Say it' });
  });

  it('shows the alternatives of a token and branches with one of them', async () => {
    const { engine } = open();
    await run();
    await finished();
    fireEvent.click(within(output()).getByText('two'));
    const dialog = await screen.findByRole('dialog', { name: 'Alternatives of token 2' });
    const branches = within(dialog).getAllByRole('button', { name: 'Branch from here' });
    expect(branches).toHaveLength(10);

    fireEvent.click(branches[1] ?? dialog);

    await waitFor(() => expect(engine.requests).toHaveLength(2));
    expect(engine.requests[1]?.prefix).toHaveLength(2);
    expect(engine.requests[1]?.prefix[0]).toBe(100);
    await waitFor(() => expect(output().textContent).toMatch(/^One/));
  });

  it('keeps the text when the runner ends, says why, and runs again', async () => {
    const { engine } = open({ crashAfter: 2 });
    await run();

    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('the process that ran tiny-stories was ended by SIGKILL');
    expect(alert.textContent).toContain('runner_crashed');
    expect(output().textContent).toBe('One two');
    fireEvent.click(within(alert).getByRole('button', { name: 'Run again' }));

    await waitFor(() => expect(engine.requests).toHaveLength(2));
  });

  it('stops on Escape and keeps what had come', async () => {
    open({ tokenMs: 20, text: 'word '.repeat(400) });
    await run();
    await waitFor(() => expect(output().textContent).toContain('word'));

    fireEvent.keyDown(window, { key: 'Escape' });

    await screen.findByText('stopped');
    expect(output().textContent).toContain('word');
  });

  it('reopens a run from the history', async () => {
    const { studio } = open();
    await run();
    await finished();
    studio.generation.clear();
    await waitFor(() => expect(screen.queryByRole('log')).toBeNull());
    const history = screen.getByRole('region', { name: 'History' });

    fireEvent.click(await within(history).findByText('One two three.'));

    await finished();
  });

  it('shows and copies the command line that makes the same text', async () => {
    open();
    await run();
    await finished();
    fireEvent.click(screen.getByRole('button', { name: 'Reproduce' }));
    fireEvent.click(await screen.findByRole('button', { name: 'Copy command' }));
    expect(copied.at(-1)).toMatch(
      /^npm run --silent lathe -- generate tiny-stories --prompt 'Once/,
    );
    expect(copied.at(-1)).toMatch(/--seed 2463534242$/);
  });

  it('says that the engine is away, and that it is back', async () => {
    const { engine } = open();
    await screen.findByText('Engine ready');
    engine.setConnection({ kind: 'lost', attempt: 1 });
    await screen.findByText(/The engine stopped and is being restarted/);
    engine.setConnection({ kind: 'ready' });
    await waitFor(() => expect(screen.queryByText(/being restarted/)).toBeNull());
  });

  it('opens a folder in place and shows why another cannot be opened', async () => {
    open();
    await screen.findByText('Engine ready');
    fireEvent.keyDown(window, { key: 'o', ctrlKey: true });
    const field = await screen.findByLabelText('Folder');
    fireEvent.change(field, { target: { value: '/nowhere' } });
    fireEvent.click(screen.getByRole('button', { name: 'Open' }));
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('there is no config.json in this folder: /nowhere');

    fireEvent.change(field, { target: { value: '/models/SmolLM2-135M' } });
    fireEvent.click(screen.getByRole('button', { name: 'Open' }));

    await screen.findByRole('heading', { name: 'SmolLM2-135M' });
  });

  it('teaches and offers one action where there is no model', async () => {
    open({ models: [] });
    await screen.findByText('Engine ready');
    fireEvent.click(screen.getByRole('link', { name: 'Library' }));
    const empty = await screen.findByText(/A model is a folder with config.json/);
    expect(empty.parentElement?.querySelectorAll('button')).toHaveLength(1);
  });
});
