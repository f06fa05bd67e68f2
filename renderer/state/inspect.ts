import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  LatheError,
  promptSchema,
  type Capture,
  type Direct,
  type EngineClient,
  type Head,
  type HeadStatistics,
  type Lens,
  type Prediction,
  type Progress,
  type Prompt,
  type Sheet,
  type Square,
} from '../../preload/contract/index.ts';
import { samplePrompts } from './draft.ts';
import { toFailure, type Failure } from './failure.ts';
import { readStored, type Memory } from './memory.ts';
import { createSlices } from './slices.ts';

/** What can be looked at, in the order of the tabs. */
export const inspectTabs = [
  'attention',
  'lens',
  'attribution',
  'difference',
  'tokenizer',
  'weights',
] as const;
export type InspectTab = (typeof inspectTabs)[number];

/** A run with everything it computed, kept in the model's runner. */
export type CaptureState =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly progress: Progress | null }
  | { readonly kind: 'ready'; readonly capture: Capture }
  /** The runner that held it has ended, or newer captures took its place. */
  | { readonly kind: 'gone'; readonly capture: Capture }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** The map that is shown large: of a head, the mean of a layer, or attention through all layers. */
export type Shown =
  | { readonly kind: 'head'; readonly layer: number; readonly head: number }
  | { readonly kind: 'mean'; readonly layer: number }
  | { readonly kind: 'rollout' }
  | { readonly kind: 'flow' };

export interface InspectState {
  /** Key of the model to look into, see `modelKey`. */
  readonly model: string | null;
  readonly prompt: Prompt;
  readonly tab: InspectTab;
  readonly main: CaptureState;
  /** What was captured: model and prompt may have been changed since. */
  readonly captured: { readonly model: string; readonly prompt: Prompt } | null;
  /** The same run with `off` switched off. */
  readonly ablated: CaptureState;
  /** Heads to switch off. */
  readonly off: readonly Head[];
  readonly shown: Shown;
  /** Index of the token that is explained. */
  readonly position: number;
}

export interface Inspect {
  readonly store: StoreApi<InspectState>;
  setModel(key: string | null): void;
  setPrompt(prompt: Prompt): void;
  setTab(tab: InspectTab): void;
  show(shown: Shown): void;
  setPosition(position: number): void;
  /** Runs the prompt and keeps what the model computed. One under way is ended first. */
  capture(): Promise<void>;
  /** Ends what runs; what was there before is gone. */
  cancel(): void;
  setOff(heads: readonly Head[]): void;
  /** Runs the prompt of the capture once more without the heads chosen. */
  ablate(): Promise<void>;
  sheet(capture: Capture): Promise<Sheet>;
  /** The pattern (or the scores before the softmax) of what is shown. */
  pattern(capture: Capture, shown: Shown, what: 'pattern' | 'scores'): Promise<Square>;
  statistics(capture: Capture): Promise<readonly HeadStatistics[]>;
  lens(capture: Capture): Promise<Lens>;
  predictions(capture: Capture, against?: Capture): Promise<readonly Prediction[]>;
  direct(capture: Capture, position: number, token?: number): Promise<Direct>;
}

/** Room for a few dozen maps of 512 tokens, or a handful of 2,048. */
const sliceBudget = 128 * 2 ** 20;
/** Side of a thumbnail in cells: what is drawn at most. */
const sheetSize = 48;
/** How many of the most probable tokens are asked for. */
const top = 10;

const none: CaptureState = { kind: 'none' };
const brokenOff = new LatheError('engine_lost', 'The stream ended before the capture did', {
  next: ['retry'],
});

/** Whether the engine is at work for the view. */
export const isCapturing = ({ main, ablated }: InspectState): boolean =>
  main.kind === 'running' || ablated.kind === 'running';

/** What of the capture is no longer what would be captured now. */
export function staleOf({
  main,
  captured,
  model,
  prompt,
}: InspectState): 'model' | 'prompt' | null {
  if (main.kind !== 'ready' || captured === null) return null;
  if (captured.model !== model) return 'model';
  return JSON.stringify(captured.prompt) === JSON.stringify(prompt) ? null : 'prompt';
}

/** What the view asks about the inside of one model. */
export function createInspect(client: EngineClient, memory: Memory): Inspect {
  const stored = readStored<Pick<InspectState, 'model' | 'prompt' | 'tab'>>(memory, 'inspect');
  const prompt = promptSchema.safeParse(stored.prompt);
  const first: Prompt = { kind: 'completion', text: samplePrompts[0]?.text ?? '' };
  const store = createStore<InspectState>(() => ({
    model: stored.model ?? null,
    prompt: prompt.success ? prompt.data : first,
    tab: inspectTabs.find((name) => name === stored.tab) ?? 'attention',
    main: none,
    captured: null,
    ablated: none,
    off: [],
    shown: { kind: 'head', layer: 0, head: 0 },
    position: 0,
  }));
  store.subscribe(({ model, prompt: kept, tab }) =>
    memory.write('inspect', { model, prompt: kept, tab }),
  );
  const slices = createSlices(sliceBudget);
  let running: AbortController | null = null;

  const run = async (
    part: 'main' | 'ablated',
    asked: { model: string; prompt: Prompt },
    ablate: readonly Head[],
  ): Promise<Capture | null> => {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    /** What a run tells that was cancelled nobody wants to hear. */
    const tell = (state: CaptureState): void => {
      if (running === controller) store.setState({ [part]: state });
    };
    tell({ kind: 'running', progress: null });
    try {
      const { signal } = controller;
      const events = await client.inspect.capture({ ...asked, ablate: [...ablate] }, { signal });
      for await (const event of events) {
        if (running !== controller) return null;
        if (event.kind === 'progress') {
          tell({ kind: 'running', progress: event });
          continue;
        }
        tell({ kind: 'ready', capture: event.capture });
        running = null;
        return event.capture;
      }
      throw brokenOff;
    } catch (error) {
      tell({ kind: 'failed', failure: toFailure(error) });
      return null;
    }
  };
  /** Asks about a capture; one that is no longer there is marked so. */
  const ask = <T>(of: Capture, key: string, load: () => Promise<T>): Promise<T> =>
    slices.get(`${of.id} ${key}`, async () => {
      try {
        return await load();
      } catch (error) {
        if (toFailure(error).code === 'not_found') forget(of);
        throw error;
      }
    });
  const forget = (capture: Capture): void =>
    store.setState(({ main, ablated }) => ({
      main: isOf(main, capture) ? { kind: 'gone', capture } : main,
      ablated: isOf(ablated, capture) ? { kind: 'gone', capture } : ablated,
    }));

  return {
    store,
    setModel: (model) => store.setState({ model }),
    setPrompt: (next) => store.setState({ prompt: next }),
    setTab: (tab) => store.setState({ tab }),
    show: (shown) => store.setState({ shown }),
    setPosition: (position) => store.setState({ position }),
    async capture() {
      const { model, prompt: text } = store.getState();
      if (model === null) return;
      slices.clear();
      const captured = { model, prompt: text };
      store.setState({ captured, ablated: none, off: [] });
      const capture = await run('main', captured, []);
      if (capture) store.setState((state) => selectionWithin(state, capture));
    },
    cancel() {
      running?.abort();
      running = null;
      store.setState(({ main, ablated }) => ({
        main: main.kind === 'running' ? none : main,
        ablated: ablated.kind === 'running' ? none : ablated,
      }));
    },
    setOff: (off) => store.setState({ off, ...(off.length === 0 && { ablated: none }) }),
    async ablate() {
      const { captured, off } = store.getState();
      if (captured && off.length > 0) await run('ablated', captured, off);
    },
    sheet: (of) =>
      ask(of, 'sheet', () => client.inspect.sheet({ capture: of.id, size: sheetSize })),
    pattern: (of, shown, what) =>
      ask(of, `${JSON.stringify(shown)} ${what}`, () => {
        const capture = of.id;
        if (shown.kind === 'rollout' || shown.kind === 'flow')
          return client.inspect.through({ capture, method: shown.kind });
        const head = shown.kind === 'mean' ? 'mean' : shown.head;
        return client.inspect.pattern({ capture, layer: shown.layer, head, what });
      }),
    statistics: (of) => ask(of, 'heads', () => client.inspect.heads({ capture: of.id })),
    lens: (of) => ask(of, 'lens', () => client.inspect.lens({ capture: of.id, top })),
    predictions: (of, against) =>
      ask(of, `predictions ${against?.id ?? ''}`, () =>
        client.inspect.predictions({
          capture: of.id,
          top,
          ...(against && { against: against.id }),
        }),
      ),
    direct: (of, position, token) =>
      ask(of, `direct ${position} ${token ?? ''}`, () =>
        client.inspect.direct({
          capture: of.id,
          position,
          ...(token !== undefined && { token }),
        }),
      ),
  };
}

const isOf = (state: CaptureState, { id }: Capture): boolean =>
  state.kind === 'ready' && state.capture.id === id;

/** What was selected before, where the new capture has it too; the last position explains most. */
function selectionWithin({ shown }: InspectState, capture: Capture): Partial<InspectState> {
  const position = Math.max(0, capture.tokens.length - 1);
  const has =
    shown.kind === 'rollout' ||
    shown.kind === 'flow' ||
    (shown.kind === 'mean'
      ? shown.layer < capture.layers
      : shown.head < (capture.heads[shown.layer] ?? 0));
  if (has) return { position };
  const layer = Math.max(
    0,
    capture.heads.findIndex((count) => count > 0),
  );
  return { position, shown: { kind: 'head', layer, head: 0 } };
}

/** Whether two heads are the same. */
export const sameHead = (a: Head, b: Head): boolean => a.layer === b.layer && a.head === b.head;

/** The heads with one put among them, or taken out where it was there. */
export const toggledHead = (heads: readonly Head[], head: Head): readonly Head[] =>
  heads.some((other) => sameHead(other, head))
    ? heads.filter((other) => !sameHead(other, head))
    : [...heads, head];
