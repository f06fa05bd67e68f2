import type {
  FinishReason,
  GeneratedToken,
  GenerateEvent,
  GenerateRequest,
  Progress,
  Prompt,
  Run,
} from '../../preload/contract/index.ts';
import type { Failure } from './failure.ts';
import { appendTokens, textOf, type TokenBlock } from './tokens.ts';

/** What is known of a run so far. Numbers that were not told yet are null. */
export interface RunData {
  readonly request: GenerateRequest;
  readonly blocks: readonly TokenBlock[];
  readonly count: number;
  readonly runId: string | null;
  readonly seed: number | null;
  readonly promptTokens: number | null;
  readonly contextLength: number | null;
  readonly loadMs: number | null;
  /** Milliseconds until the first token. */
  readonly firstMs: number | null;
  /** Milliseconds of all tokens after the first. */
  readonly laterMs: number;
}

export type RunState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading'; readonly run: RunData; readonly progress: Progress | null }
  | { readonly kind: 'prefilling'; readonly run: RunData; readonly progress: Progress | null }
  | { readonly kind: 'streaming'; readonly run: RunData }
  | {
      readonly kind: 'finished';
      readonly run: RunData;
      readonly reason: FinishReason;
      /** The text with the stop string removed. */
      readonly text: string;
    }
  | { readonly kind: 'failed'; readonly run: RunData; readonly failure: Failure };

/** A run that was just asked for. */
export const startRun = (request: GenerateRequest): RunState => ({
  kind: 'loading',
  progress: null,
  run: {
    request,
    blocks: [],
    count: 0,
    runId: null,
    seed: null,
    promptTokens: null,
    contextLength: null,
    loadMs: null,
    firstMs: null,
    laterMs: 0,
  },
});

/** Whether the engine is at work on the run. */
export const isRunning = (state: RunState): boolean =>
  state.kind === 'loading' || state.kind === 'prefilling' || state.kind === 'streaming';

/** The prompt of a run with what the model wrote behind it, as a prompt of its own. */
export function writtenPrompt({ request, blocks }: RunData): Prompt {
  const written = (request.prefixText ?? '') + textOf(blocks);
  if (request.prompt.kind === 'completion')
    return { kind: 'completion', text: request.prompt.text + written };
  const answer = { role: 'assistant', content: written } as const;
  const { messages } = request.prompt;
  return { kind: 'chat', messages: written === '' ? messages : [...messages, answer] };
}

/** The state after a frame's worth of events; tokens that follow each other are appended at once. */
export function applyEvents(state: RunState, events: readonly GenerateEvent[]): RunState {
  let next = state;
  let tokens: GeneratedToken[] = [];
  for (const event of events) {
    if (event.kind === 'token') {
      tokens.push(event);
      continue;
    }
    next = applyEvent(applyTokens(next, tokens), event);
    tokens = [];
  }
  return applyTokens(next, tokens);
}

function applyTokens(state: RunState, tokens: readonly GeneratedToken[]): RunState {
  if (tokens.length === 0 || state.kind === 'idle') return state;
  const { run } = state;
  const ms = tokens.map((token) => token.ms);
  const firstMs = run.firstMs ?? ms.shift() ?? null;
  const changed: RunData = {
    ...run,
    blocks: appendTokens(run.blocks, tokens),
    count: run.count + tokens.length,
    firstMs,
    laterMs: run.laterMs + ms.reduce((sum, value) => sum + value, 0),
  };
  return isRunning(state) ? { kind: 'streaming', run: changed } : { ...state, run: changed };
}

function applyEvent(state: RunState, event: Exclude<GenerateEvent, { kind: 'token' }>): RunState {
  if (state.kind === 'idle') return state;
  switch (event.kind) {
    case 'progress':
      return state.kind === 'loading' || state.kind === 'prefilling'
        ? { ...state, progress: event }
        : state;
    case 'start': {
      const { runId, seed, promptTokens, contextLength, loadMs } = event;
      const run = { ...state.run, runId, seed, promptTokens, contextLength, loadMs };
      return { kind: 'prefilling', run, progress: null };
    }
    case 'finish':
      return { kind: 'finished', run: state.run, reason: event.reason, text: event.text };
  }
}

/** The run as the user's stop left it: what has arrived stays. */
export const cancelRun = (state: RunState): RunState =>
  state.kind === 'idle' || !isRunning(state)
    ? state
    : { kind: 'finished', run: state.run, reason: 'cancelled', text: textOf(state.run.blocks) };

/** The run as a failure left it: what has arrived stays. */
export const failRun = (state: RunState, failure: Failure): RunState =>
  state.kind === 'idle' ? state : { kind: 'failed', run: state.run, failure };

/** A run of the history as if it had just ended. */
export function reopenRun(run: Run): RunState {
  const started = startRun(run.request);
  const state = applyTokens(started, run.tokens);
  if (state.kind === 'idle') return state;
  const { seed, promptTokens, contextLength } = run;
  const loadMs = run.timing?.loadMs ?? null;
  const data = { ...state.run, runId: run.id, seed, promptTokens, contextLength, loadMs };
  if (run.finish) return { kind: 'finished', run: data, reason: run.finish, text: run.text };
  const message = run.error ?? 'The run broke off before it was finished';
  const failure: Failure = { code: 'runner_crashed', message, data: { next: ['retry'] } };
  return { kind: 'failed', run: data, failure };
}
