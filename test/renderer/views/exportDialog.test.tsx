// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { copied, openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; nothing here is about it.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({ default: () => null }));

beforeAll(preparePage);
afterEach(cleanup);

async function openDialog() {
  const page = openPage({ tokenMs: 1 });
  page.studio.navigation.go('library');
  fireEvent.click(await screen.findByRole('button', { name: 'Export…' }));
  return { ...page, dialog: await screen.findByRole('dialog', { name: 'Export tiny-stories' }) };
}

const field = (dialog: HTMLElement, name: string) =>
  within(dialog).getByRole<HTMLInputElement>('textbox', { name });

describe('exporting a model', () => {
  it('offers every format with what it is for, and a new folder in the user’s own', async () => {
    const { dialog } = await openDialog();
    await waitFor(() => expect(field(dialog, 'In the folder').value).toBe('/models'));
    const formats = within(dialog).getAllByRole('radio');
    expect(formats).toHaveLength(4);
    const name = 'Name of the new folder';
    expect(field(dialog, name).value).toBe('tiny-stories-transformers-js');
    fireEvent.click(within(dialog).getByRole('radio', { name: 'Lathe' }));
    expect(field(dialog, name).value).toBe('tiny-stories-lathe');
  });

  it('tells the files with their sizes and hashes when it is done', async () => {
    const { dialog } = await openDialog();
    await waitFor(() => expect(field(dialog, 'In the folder').value).toBe('/models'));
    fireEvent.click(within(dialog).getByRole('button', { name: 'Export' }));
    const table = await within(dialog).findByRole('table', { name: 'Exported files' });
    const rows = within(table).getAllByRole('row').slice(1);
    expect(rows.map((row) => row.textContent)).toEqual([
      'README.md1.00 kB111111111111',
      'config.json2.00 kB222222222222',
      'onnx/model_q4.onnx3.00 kB333333333333',
    ]);
    fireEvent.click(within(dialog).getByRole('button', { name: 'Copy path' }));
    expect(copied.at(-1)).toBe('/models/tiny-stories-transformers-js');
  });

  it('says why a folder was refused, and keeps what was typed', async () => {
    const { dialog } = await openDialog();
    await waitFor(() => expect(field(dialog, 'In the folder').value).toBe('/models'));
    const name = field(dialog, 'Name of the new folder');
    fireEvent.change(name, { target: { value: 'taken' } });
    fireEvent.click(within(dialog).getByRole('button', { name: 'Export' }));
    const alert = await within(dialog).findByRole('alert');
    expect(alert.textContent).toContain('must be new or empty: /models/taken');
    expect(name.value).toBe('taken');
  });

  it('ends when the dialog is closed', async () => {
    const { dialog, studio } = await openDialog();
    await waitFor(() => expect(field(dialog, 'In the folder').value).toBe('/models'));
    fireEvent.click(within(dialog).getByRole('button', { name: 'Export' }));
    await waitFor(() => expect(studio.exports.store.getState().kind).toBe('exporting'));
    fireEvent.click(within(dialog).getByRole('button', { name: 'Cancel' }));
    expect(studio.exports.store.getState()).toEqual({ kind: 'idle' });
  });
});
