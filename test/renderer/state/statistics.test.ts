import { describe, expect, it } from 'vitest';
import { generateRequestSchema, type GeneratedToken } from '../../../preload/contract/index.ts';
import { applyEvents, startRun } from '../../../renderer/state/run.ts';
import { statisticsOf } from '../../../renderer/state/statistics.ts';

const request = generateRequestSchema.parse({
  model: 'm',
  prompt: { kind: 'completion', text: '' },
  prefix: [1, 2],
});
const started = startRun(request);
const begun = applyEvents(started, [
  { kind: 'start', runId: null, promptTokens: 10, contextLength: 16, seed: 7, loadMs: 50 },
]);
const token = (ms: number): GeneratedToken => ({
  kind: 'token',
  id: 1,
  text: 'a',
  logprob: -1,
  alternatives: [],
  ms,
});
const figures = (state: typeof begun) => {
  if (state.kind === 'idle') throw new Error('there is no run');
  return statisticsOf(state.run);
};

describe('statistics of a run', () => {
  it('are absent, not zero, before they were measured', () => {
    expect(figures(started)).toEqual({
      ttftMs: null,
      tokensPerSecond: null,
      used: null,
      contextLength: null,
      seed: null,
      loadMs: null,
      newTokens: 0,
    });
  });

  it('take the first token for the time to first token and the others for the speed', () => {
    const state = applyEvents(applyEvents(begun, [token(30)]), [token(4), token(6)]);
    expect(figures(state)).toEqual({
      ttftMs: 30,
      tokensPerSecond: 200,
      used: 15,
      contextLength: 16,
      seed: 7,
      loadMs: 50,
      newTokens: 3,
    });
  });

  it('never use more of the context than there is', () => {
    const state = applyEvents(begun, [1, 1, 1, 1, 1, 1, 1, 1].map(token));
    expect(figures(state).used).toBe(16);
  });
});
