// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BenchJob } from '../../../preload/contract/index.ts';
import type { FakeOptions } from '../fakeEngine.ts';
import { benches, manyVariants, oldBenches, variants } from '../fakeMeasurements.ts';
import { openPage, preparePage } from './page.tsx';

// Monaco needs a real layout; nothing here edits text.
vi.mock('../../../renderer/editor/TextEditor.tsx', () => ({ default: () => null }));

beforeAll(preparePage);
afterEach(cleanup);

/** Opens the window where speed is measured, with the embedded model chosen. */
async function open(options: FakeOptions = {}) {
  const page = openPage(options);
  await waitFor(() =>
    expect(page.studio.bench.store.getState().setup.models).toEqual(['tiny-stories']),
  );
  fireEvent.click(screen.getByRole('link', { name: 'Bench' }));
  await screen.findByRole('heading', { name: 'Bench' });
  return page;
}

const region = (name: string) => within(screen.getByRole('region', { name }));
const measure = () => fireEvent.click(screen.getByRole('button', { name: /^Measure( \d|$)/ }));
const figure = async (name: string) =>
  within(await screen.findByRole('row', { name: new RegExp(`^${name}`) })).getAllByRole('cell');

const failedJob: BenchJob = {
  id: 'job-0',
  kind: 'bench',
  model: 'tiny-stories',
  request: {
    model: 'tiny-stories',
    form: 'fused',
    promptTokens: 32,
    newTokens: 64,
    batch: 64,
    runs: 5,
    contexts: [],
    batches: [],
    threadCounts: [],
    load: false,
    profile: false,
  },
  state: 'failed',
  progress: null,
  createdAt: 0,
  startedAt: 0,
  endedAt: 1,
  error: { code: 'memory_limit', message: 'the runner grew past its limit', data: {} },
  result: null,
  log: [{ at: 0, text: 'Loading' }],
};

describe('the view that measures speed', () => {
  it('measures the embedded model and shows its figures, absent ones with the reason', async () => {
    await open();
    await screen.findByText(/how fast a model answers on this machine/);
    fireEvent.keyDown(window, { key: 'Enter', ctrlKey: true });
    const [p50] = await figure('Inter-token latency, P50');
    expect(p50?.textContent).toMatch(/^\d\.\d\d ms/);
    const [p99] = await figure('Inter-token latency, P99 ');
    expect(p99?.textContent).toBe('needs 1,000 samples, has 315');
    const [cost] = await figure('Cost of a million tokens');
    expect(cost?.textContent).toBe('needs a price per hour');
    fireEvent.change(screen.getByRole('textbox', { name: 'Price of an hour' }), {
      target: { value: '0.5' },
    });
    await waitFor(async () =>
      expect((await figure('Cost of a million tokens'))[0]?.textContent).toMatch(/^0\.\d+decode/),
    );
    expect(region('Protocol').getByText(/behind one to warm up/)).toBeDefined();
    expect(
      screen.getByText(/Not measured here: prompt tokens, batch size, threads, operators/),
    ).toBeDefined();
  });

  it('asks for sweeps and operators, and draws a picture of each', async () => {
    const { studio } = await open();
    for (const sweep of ['Prompt lengths', 'Batch sizes', 'Threads'])
      fireEvent.click(screen.getByRole('button', { name: `Take the usual stops of ${sweep}` }));
    fireEvent.click(screen.getByRole('switch', { name: /Time every operator/ }));
    fireEvent.click(screen.getByRole('switch', { name: /Load, cold and warm/ }));
    expect(studio.bench.store.getState().setup).toMatchObject({
      contexts: [16, 32, 64, 128, 256, 448],
      batches: [1, 2, 4, 8],
      threadCounts: [1, 2, 4, 8],
      profile: true,
      load: true,
    });
    measure();
    await screen.findByRole('img', { name: /First token against context/ });
    for (const name of [
      /Decode against context/,
      /Throughput against batch/,
      /Speed against threads/,
      /Memory over time/,
      /Distribution of the inter-token latency/,
      /Time of the operators/,
    ])
      expect(screen.getByRole('img', { name })).toBeDefined();
    expect((await figure('Load, cold'))[0]?.textContent).toContain('page cache dropped');
  });

  it('sorts the operators by any column, and groups them by block', async () => {
    const { studio } = await open();
    studio.bench.change({ profile: true });
    measure();
    const table = within(await screen.findByRole('table', { name: 'Times of the operators' }));
    const names = () =>
      table
        .getAllByRole('row')
        .slice(1)
        .map((row) => within(row).getAllByRole('cell')[0]?.textContent);
    expect(names().slice(0, 2)).toEqual(['MatMulNBits', 'GroupQueryAttention']);
    fireEvent.click(table.getByRole('button', { name: 'Name' }));
    expect(names()[0]).toBe('Gather');
    expect(table.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    fireEvent.click(screen.getByRole('radio', { name: 'By block' }));
    expect(names()).toEqual([
      'block 0',
      'block 1',
      'block 2',
      'block 3',
      'block 4',
      'outside the blocks',
    ]);
  });

  it('queues several models, shows progress and cancels', async () => {
    const { studio } = await open({ layerMs: 40 });
    studio.bench.change({ models: ['tiny-stories', 'SmolLM2-135M-Instruct'] });
    await screen.findByRole('button', { name: 'Measure 2 models' });
    measure();
    await screen.findByRole('progressbar', { name: 'Progress of the measurement of tiny-stories' });
    const waiting = within(
      await screen.findByRole('article', { name: 'Measurement of SmolLM2-135M-Instruct' }),
    );
    fireEvent.click(waiting.getByRole('button', { name: 'Cancel' }));
    await waiting.findByText('Cancelled; nothing was kept of it.');
    expect(
      await screen.findByRole('checkbox', { name: /Show tiny-stories/, checked: true }),
    ).toBeDefined();
  });

  it('cancels a whole queue', async () => {
    const { studio } = await open({ layerMs: 40 });
    studio.bench.change({ models: ['tiny-stories', 'SmolLM2-135M-Instruct'] });
    await screen.findByRole('button', { name: 'Measure 2 models' });
    measure();
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel all' }));
    expect(await screen.findAllByText('Cancelled; nothing was kept of it.')).toHaveLength(2);
    expect(studio.measurements.store.getState().benches).toEqual([]);
  });

  it('compares chosen measurements with the first, up to four', async () => {
    const { studio } = await open({ benches, models: variants });
    const [first, ...others] = await region('Measurements').findAllByRole('checkbox');
    expect(first).toHaveProperty('checked', true);
    for (const box of others.slice(0, 4)) fireEvent.click(box);
    expect(studio.bench.store.getState().chosen).toHaveLength(4);
    const header = within(screen.getByRole('table', { name: 'Figures of the measurements' }));
    expect(header.getAllByRole('columnheader')).toHaveLength(5);
    const cells = await figure('Weight files');
    expect(cells[1]?.textContent).toMatch(/(more|less)on disk$/);
    expect(cells[0]?.textContent).toMatch(/MBon disk$/);
  });

  it('says what drifted since the measurement before, and why that may be', async () => {
    await open({ benches: oldBenches });
    await screen.findByText('first of its kind');
    const drifts = region('Measurements')
      .getAllByRole('row')
      .slice(1)
      .map((row) => within(row).getAllByRole('cell')[6]?.textContent);
    expect(drifts.at(-1)).toBe('first of its kind');
    expect(drifts[0]).toMatch(/^\d\d % slower · threads 4 → 2$/);
    expect(drifts[1]).toMatch(/^\d\d % faster · onnxruntime 1\.28\.0 → 1\.30\.0$/);
  });

  it('lists the measurements of all models, or of those in the set-up, forty at a time', async () => {
    const { models, benches: many } = manyVariants(50);
    await open({ models: [...variants, ...models], benches: [...many, ...oldBenches] });
    const rows = () => region('Measurements').getAllByRole('checkbox').length;
    await screen.findByRole('region', { name: 'Measurements' });
    expect(rows()).toBe(40);
    fireEvent.click(region('Measurements').getByRole('button', { name: 'Show 14 more' }));
    expect(rows()).toBe(54);
    fireEvent.click(screen.getByRole('radio', { name: 'Of the models in the set-up' }));
    expect(region('Measurements').getByText('4 of 54')).toBeDefined();
    expect(rows()).toBe(4);
  });

  it('removes a measurement, and takes that back', async () => {
    await open({ benches: oldBenches });
    const rows = () => region('Measurements').getAllByRole('checkbox').length;
    await screen.findByRole('region', { name: 'Measurements' });
    expect(rows()).toBe(4);
    const [first] = region('Measurements').getAllByRole('button', { name: /^Remove/ });
    if (first) fireEvent.click(first);
    expect(rows()).toBe(3);
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(rows()).toBe(4);
  });

  it('saves samples and figures as CSV and the whole result as JSON', async () => {
    const saved: Blob[] = [];
    URL.createObjectURL = (blob: Blob) => {
      saved.push(blob);
      return 'blob:';
    };
    URL.revokeObjectURL = () => {};
    // jsdom does not follow links.
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
    await open({ benches: oldBenches });
    const save = async (menu: RegExp, format: string): Promise<string> => {
      fireEvent.click(await screen.findByRole('button', { name: menu }));
      fireEvent.click(await screen.findByRole('menuitem', { name: format }));
      return (await saved.at(-1)?.text()) ?? '';
    };
    const samples = await save(/Save the picture: Distribution/, 'CSV');
    const figures = await save(/Save the figures/, 'CSV');
    const whole: unknown = JSON.parse(await save(/Save the whole result/, 'JSON'));
    click.mockRestore();
    const newest = oldBenches.at(-1);
    expect(samples.split('\r\n').slice(0, 2)).toEqual([
      'model,measured_at,sample,ms',
      `tiny-stories,2026-02-10T09:00:00.000Z,0,${newest?.decodeMs[0]}`,
    ]);
    expect(figures).toContain(`"Inter-token latency, P50",ms,${newest?.decode.p50}`);
    expect(whole).toEqual(newest);
  });

  it('asks for the samples of what is drawn and of nothing else', async () => {
    const asked: number[] = [];
    const { studio } = await open({ benches: oldBenches, models: variants });
    const { samples } = studio.measurements;
    vi.spyOn(studio.measurements, 'samples').mockImplementation((id) => {
      asked.push(id);
      return samples(id);
    });
    const [, second] = await region('Measurements').findAllByRole('checkbox');
    const [newest, other] = oldBenches.toReversed();
    if (second) fireEvent.click(second);
    await screen.findByText(/^tiny-stories, .* 320 samples, P99 needs 1,000/);
    expect(new Set(asked)).toEqual(new Set([newest?.id, other?.id]));
    for (const record of studio.measurements.store.getState().benches ?? [])
      expect(record).not.toHaveProperty('decodeMs');
  });

  it('says why samples cannot be drawn, and asks again', async () => {
    const { studio } = await open({ benches: oldBenches });
    const [, second] = await region('Measurements').findAllByRole('checkbox');
    vi.spyOn(studio.measurements, 'samples').mockRejectedValueOnce(new Error('the file is gone'));
    if (second) fireEvent.click(second);
    expect((await screen.findByRole('alert')).textContent).toContain('the file is gone');
    fireEvent.click(region('Inter-token latency').getByRole('button', { name: 'Try again' }));
    await screen.findByRole('img', { name: /^Distribution of the inter-token latency/ });
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('says what does not fit before anything is queued', async () => {
    const { studio } = await open();
    studio.bench.change({ promptTokens: 500 });
    const alert = await screen.findByText('500 + 64 tokens do not fit the 512 of tiny-stories');
    expect(alert.getAttribute('role')).toBe('alert');
    expect(screen.getByRole('button', { name: 'Measure' })).toHaveProperty('disabled', true);
  });

  it('tells why a measurement failed, and takes its set-up to be changed', async () => {
    const { studio } = await open({ jobs: [failedJob] });
    const failed = within(
      await screen.findByRole('article', { name: 'Measurement of tiny-stories' }),
    );
    expect(failed.getByRole('alert').textContent).toContain('the runner grew past its limit');
    fireEvent.click(failed.getByRole('button', { name: 'Take its set-up' }));
    expect(studio.bench.store.getState().setup).toMatchObject({ promptTokens: 32, batch: 64 });
  });

  it('teaches and offers one action where there is no model', async () => {
    openPage({ models: [] });
    await screen.findByText('Engine ready');
    fireEvent.click(screen.getByRole('link', { name: 'Bench' }));
    const empty = await screen.findByText(/open a model first/);
    expect(empty.parentElement?.querySelectorAll('button')).toHaveLength(1);
  });
});
