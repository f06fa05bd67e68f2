import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient, Losses, ModelRecord, TokenText } from '../../preload/contract/index.ts';
import { pairOf } from './difference.ts';
import { modelKey } from './models.ts';
import { createWorker, idle, type Work } from './work.ts';

/** As many models as have a colour that is easy to tell from the others. */
export const mostModels = 4;

export interface TokenizerState {
  /** Key of a model whose tokenizer is compared with; null for none. */
  readonly other: string | null;
  readonly text: string;
  /** Models whose losses are compared, the first with the others. */
  readonly models: readonly string[];
  readonly losses: Work<Losses>;
  /** Index within `Losses.models` of the one that colours the text. */
  readonly shown: number;
  /** Whether the text is coloured by loss, or by KL to the first model. */
  readonly measure: 'loss' | 'kl';
  /** Index of the token whose values are shown. */
  readonly position: number | null;
}

type Choice = Omit<TokenizerState, 'losses'>;

/** How text is cut into tokens, and what models make of each. */
export interface TokenizerStore {
  readonly store: StoreApi<TokenizerState>;
  change(part: Partial<Choice>): void;
  /** Lets go of models that are gone; where `model` is not among them, takes it and its parent. */
  adopt(model: string | null, models: readonly ModelRecord[]): void;
  tokens(model: string, text: string, signal?: AbortSignal): Promise<TokenText>;
  /** Reads the text with every chosen model. Does nothing while none is. */
  run(): Promise<void>;
  cancel(): void;
}

const firstText =
  'The little robot said hello to the bees. “Good morning, bees,” it said; the bees were happy. ' +
  'Naïve café, 北京, 🙂 and 3,141 more.';

export function createTokenizer(client: EngineClient): TokenizerStore {
  const store = createStore<TokenizerState>(() => ({
    other: null,
    text: firstText,
    models: [],
    losses: idle,
    shown: 0,
    measure: 'loss',
    position: null,
  }));
  const worker = createWorker();
  const set = (part: Partial<TokenizerState>): void => store.setState(part);
  return {
    store,
    change: set,
    adopt(model, known) {
      const { other, models } = store.getState();
      const isKnown = (key: string | null): key is string =>
        known.some((record) => modelKey(record) === key);
      const kept = models.filter(isKnown);
      const { base, variant } = pairOf(model, known);
      const isAbout = model !== null && kept.includes(model);
      set({
        other: isKnown(other) ? other : null,
        models: isAbout ? kept : [base, variant].filter((key) => key !== null),
      });
    },
    tokens: (model, text, signal) =>
      client.inspect.tokenText({ model, text }, signal ? { signal } : {}),
    async run() {
      const { models, text } = store.getState();
      if (models.length === 0 || text === '') return;
      set({
        losses: { kind: 'working', progress: null },
        shown: 0,
        measure: 'loss',
        position: null,
      });
      await worker.start(
        (signal) => client.inspect.losses({ models: [...models], text }, { signal }),
        (event) =>
          set({
            losses:
              event.kind === 'done'
                ? { kind: 'done', result: event.losses }
                : { kind: 'working', progress: event },
          }),
        (failure) => set({ losses: { kind: 'failed', failure } }),
      );
    },
    cancel() {
      worker.cancel();
      set({ losses: idle });
    },
  };
}
