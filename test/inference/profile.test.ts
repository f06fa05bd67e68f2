import { describe, expect, it } from 'vitest';
import { eventOf, nodeTimes, type ProfileEvent } from '../../main/inference/profile.ts';

const line = (cat: string, name: string, ts: number, dur: number, args: object = {}): string =>
  `${JSON.stringify({ cat, pid: 1, tid: 1, dur, ts, ph: 'X', name, args })},`;
const run = (ts: number, dur: number): string => line('Session', 'model_run', ts, dur);
const node = (name: string, ts: number, dur: number): string =>
  line('Node', `${name}_kernel_time`, ts, dur, { op_name: name.split('_')[0], provider: 'CPU' });

const eventsOf = (lines: readonly string[]): ProfileEvent[] =>
  lines.map(eventOf).filter((event) => event !== null);

/** Two runs as the profiler writes them: what a node took before the run it is part of. */
const recorded = [
  '[',
  line('Session', 'session_initialization', 3, 900),
  node('MatMul_0', 1001, 20),
  line('Node', 'MatMul_0_fence_after', 1021, 1),
  node('Add_1', 1021, 0),
  run(1000, 30),
  node('MatMul_0', 2001, 7),
  node('Add_1', 2008, 3),
  run(2000, 15),
  node('MatMul_0', 3001, 5),
  node('Add_1', 3006, 2),
  node('Late_2', 3008, 1),
  run(3000, 12).slice(0, -1),
  ']',
];

describe('the times of nodes', () => {
  it('are summed over the runs asked for, in the order in which they ran', () => {
    const events = eventsOf(recorded);
    expect(nodeTimes(events, 0, 1)).toEqual([
      { node: 'MatMul_0', operator: 'MatMul', calls: 1, ms: 0.02 },
      { node: 'Add_1', operator: 'Add', calls: 1, ms: 0 },
    ]);
    expect(nodeTimes(events, 1, 3)).toEqual([
      { node: 'MatMul_0', operator: 'MatMul', calls: 2, ms: 0.012 },
      { node: 'Add_1', operator: 'Add', calls: 2, ms: 0.005 },
      { node: 'Late_2', operator: 'Late', calls: 1, ms: 0.001 },
    ]);
  });

  it('count what ran inside of another node with that one', () => {
    const events = eventsOf([
      node('Add_1', 110, 20),
      node('Mul_2', 140, 30),
      node('If_0', 105, 80),
      node('Add_3', 185, 4),
      run(100, 100),
    ]);
    expect(nodeTimes(events, 0, 1)).toEqual([
      { node: 'If_0', operator: 'If', calls: 1, ms: 0.08 },
      { node: 'Add_3', operator: 'Add', calls: 1, ms: 0.004 },
    ]);
  });
});

describe('a line of a profile', () => {
  it('that holds no event of use is passed over', () => {
    expect(['[', ']', '', line('Session', 'model_loading_uri', 1, 2)].map(eventOf)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('that is cut off is refused with its beginning', () => {
    expect(() => eventOf('{"cat" : "Node","na')).toThrow(
      expect.objectContaining({
        code: 'file_malformed',
        message: 'not an event of the profiler: {"cat" : "Node","na',
      }),
    );
  });
});
