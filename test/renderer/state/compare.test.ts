import { describe, expect, it } from 'vitest';
import { createCompare } from '../../../renderer/state/compare.ts';
import { noMemory, type Memory } from '../../../renderer/state/memory.ts';

/** Keeps what was written, as text like the page's storage does. */
function textMemory(): Memory {
  const kept = new Map<string, string>();
  return {
    read: (key) => kept.get(key) ?? null,
    write: (key, value) => void kept.set(key, JSON.stringify(value)),
  };
}

describe('how models are compared', () => {
  it('is remembered: axes, goals, columns, plan; but not what was selected', () => {
    const memory = textMemory();
    const goals = [{ key: 'bytes', relation: 'at-most', value: 0.5, ofBase: true }] as const;
    const before = createCompare(memory);
    before.change({ x: 'bytes', y: 'quality:kl', goals, columns: ['joules'], tab: 'history' });
    before.select(['a']);
    before.openMeasure(['a'], { limit: 20 });
    const {
      x,
      y,
      goals: kept,
      columns,
      tab,
      selected,
      plan,
      measuring,
    } = createCompare(memory).store.getState();
    expect({ x, y, goals: kept, columns, tab }).toEqual({
      x: 'bytes',
      y: 'quality:kl',
      goals,
      columns: ['joules'],
      tab: 'history',
    });
    expect([selected.size, plan.limit, plan.models, measuring]).toEqual([0, 20, [], null]);
  });

  it('takes nothing from a memory that another version wrote', () => {
    const memory: Memory = {
      read: () => JSON.stringify({ x: 'speed', y: 3, columns: ['gone'], tab: 'map' }),
      write: () => {},
    };
    expect(createCompare(memory).store.getState()).toMatchObject({
      x: 'decode-p50',
      y: 'quality:perplexity',
      tab: 'table',
    });
    expect(createCompare(memory).store.getState().columns.length).toBeGreaterThan(1);
  });

  it('sorts by a column, and the other way round the second time', () => {
    const { store, sortBy } = createCompare(noMemory);
    sortBy('bytes');
    expect(store.getState().sort).toEqual({ by: 'bytes', descending: false });
    sortBy('bytes');
    expect(store.getState().sort).toEqual({ by: 'bytes', descending: true });
    sortBy('name');
    expect(store.getState().sort).toEqual({ by: 'name', descending: false });
  });

  it('forgets brushes when something else is selected by hand', () => {
    const { store, change, toggle, select } = createCompare(noMemory);
    change({ brushes: { bytes: [1, 2] }, selected: new Set(['a', 'b']) });
    toggle('a');
    expect([...store.getState().selected]).toEqual(['b']);
    expect(store.getState().brushes).toEqual({});
    toggle('c');
    expect([...store.getState().selected]).toEqual(['b', 'c']);
    select([]);
    expect(store.getState().selected.size).toBe(0);
  });
});
