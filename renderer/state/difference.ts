import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  Blame,
  Difference,
  DifferenceInput,
  EngineClient,
  Head,
  ModelRecord,
  PatternPair,
  Progress,
  Prompt,
  Repair,
  Suspect,
} from '../../preload/contract/index.ts';
import type { Failure } from './failure.ts';
import { modelKey } from './models.ts';
import { createWorker, idle, type Work } from './work.ts';

export type BlameState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'searching';
      readonly progress: Progress | null;
      /** Those found so far, the worst first. */
      readonly suspects: readonly Suspect[];
    }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly blame: Blame };

export interface DifferenceState {
  /** Keys of the two models, see `modelKey`. */
  readonly base: string | null;
  readonly variant: string | null;
  readonly newTokens: number;
  readonly comparison: Work<Difference>;
  /** What `comparison` was asked; null before the first. */
  readonly asked: DifferenceInput | null;
  /** Index of the token whose values are shown. */
  readonly position: number | null;
  /** The head whose maps are shown. */
  readonly head: Head | null;
  readonly blame: BlameState;
  /** Layers that a repair keeps nearer to the base. */
  readonly kept: readonly string[];
  readonly keep: 'float' | '8-bit';
}

export type DifferenceChoice = Partial<
  Pick<DifferenceState, 'base' | 'variant' | 'newTokens' | 'position' | 'head' | 'keep'>
>;

/** Two models on one text: where they part, and what makes them. */
export interface DifferenceStore {
  readonly store: StoreApi<DifferenceState>;
  change(part: DifferenceChoice): void;
  /** Lets go of models that are gone, and of a pair that `model` is not one of. */
  adopt(model: string | null, models: readonly ModelRecord[]): void;
  /** Runs both on the text. Does nothing while one of the two is missing. */
  run(prompt: Prompt): Promise<void>;
  /** Makes the comparison before once more; nothing where there was none. */
  runAgain(): Promise<void>;
  cancel(): void;
  /** Searches for the layers that make the difference. */
  findBlame(): Promise<void>;
  cancelBlame(): void;
  toggleKept(layer: string): void;
  patterns(difference: string, head: Head): Promise<PatternPair>;
  /** The comparison as a page of HTML. */
  report(difference: string): Promise<string>;
  /** The variant's recipe with the kept layers spared. */
  repair(): Promise<Repair>;
}

export function createDifference(client: EngineClient): DifferenceStore {
  const store = createStore<DifferenceState>(() => ({
    base: null,
    variant: null,
    newTokens: 32,
    comparison: idle,
    asked: null,
    position: null,
    head: null,
    blame: idle,
    kept: [],
    keep: '8-bit',
  }));
  const comparing = createWorker();
  const blaming = createWorker();
  const set = (part: Partial<DifferenceState>): void => store.setState(part);

  /** Forgets what belonged to the comparison before. */
  const clear = (): void => {
    blaming.cancel();
    set({ position: null, head: null, blame: idle, kept: [] });
  };
  const compare = async (asked: DifferenceInput): Promise<void> => {
    clear();
    set({ asked, comparison: { kind: 'working', progress: null } });
    await comparing.start(
      (signal) => client.inspect.difference(asked, { signal }),
      (event) => {
        if (event.kind === 'progress') {
          set({ comparison: { kind: 'working', progress: event } });
          return;
        }
        const result = event.difference;
        set({ comparison: { kind: 'done', result }, head: mostChanged(result) });
      },
      (failure) => set({ comparison: { kind: 'failed', failure } }),
    );
  };

  return {
    store,
    change: set,
    adopt(model, models) {
      const { base, variant } = store.getState();
      const isKnown = (key: string | null): boolean =>
        models.some((record) => modelKey(record) === key);
      if (isKnown(base) && isKnown(variant) && (model === base || model === variant)) return;
      set(pairOf(model, models));
    },
    async run(prompt) {
      const { base, variant, newTokens } = store.getState();
      if (base !== null && variant !== null) await compare({ base, variant, prompt, newTokens });
    },
    async runAgain() {
      const { asked } = store.getState();
      if (asked) await compare(asked);
    },
    cancel() {
      comparing.cancel();
      set({ comparison: idle });
    },
    async findBlame() {
      const { asked } = store.getState();
      if (!asked) return;
      set({ blame: { kind: 'searching', progress: null, suspects: [] }, kept: [] });
      await blaming.start(
        (signal) => client.inspect.blame(asked, { signal }),
        (event) => {
          if (event.kind === 'done') {
            set({ blame: { kind: 'done', blame: event.blame }, kept: toKeep(event.blame) });
            return;
          }
          const { blame } = store.getState();
          if (blame.kind !== 'searching') return;
          if (event.kind === 'progress') {
            set({ blame: { ...blame, progress: event } });
            return;
          }
          const { kind: _, ...suspect } = event;
          set({ blame: { ...blame, suspects: withSuspect(blame.suspects, suspect) } });
        },
        (failure) => set({ blame: { kind: 'failed', failure } }),
      );
    },
    cancelBlame() {
      blaming.cancel();
      set({ blame: idle });
    },
    toggleKept: (layer) =>
      store.setState(({ kept }) => ({
        kept: kept.includes(layer) ? kept.filter((other) => other !== layer) : [...kept, layer],
      })),
    patterns: (difference, { layer, head }) =>
      client.inspect.patternPair({ difference, layer, head }),
    async report(difference) {
      const { html } = await client.inspect.report({ difference });
      return html;
    },
    repair() {
      const { asked, kept, keep } = store.getState();
      return client.inspect.repair({ variant: asked?.variant ?? '', layers: [...kept], keep });
    },
  };
}

/** A variant with what it was made from; what has variants with the newest of them. */
export function pairOf(
  model: string | null,
  models: readonly ModelRecord[],
): { readonly base: string | null; readonly variant: string | null } {
  const record = models.find((candidate) => modelKey(candidate) === model);
  if (!record) return { base: null, variant: null };
  if (record.parent !== null) {
    const parent = models.find(({ name }) => name === record.parent);
    return { base: parent ? modelKey(parent) : null, variant: model };
  }
  const [newest] = models
    .filter(({ parent }) => parent === record.name)
    .toSorted((a, b) => b.addedAt - a.addedAt);
  return { base: model, variant: newest ? modelKey(newest) : null };
}

/** What the search knows of a layer replaces what it knew before. */
const withSuspect = (suspects: readonly Suspect[], found: Suspect): readonly Suspect[] =>
  [...suspects.filter(({ layer }) => layer !== found.layer), found].toSorted(
    (a, b) => b.effect - a.effect,
  );

/** What brings the token back, or else the worst one. */
const toKeep = ({ sufficient, suspects }: Blame): readonly string[] =>
  sufficient.length > 0 ? sufficient : suspects.slice(0, 1).map(({ layer }) => layer);

/** A head and how much its patterns differ, in bits. */
export interface ChangedHead extends Head {
  readonly divergence: number;
}

/** All heads of both models, the most changed first; none where they are not the same heads. */
export function changedHeads({ heads, headDivergence }: Difference): ChangedHead[] {
  if (!heads || !headDivergence) return [];
  const all = heads.flatMap((count, layer) =>
    Array.from({ length: count }, (_, head) => ({ layer, head })),
  );
  return all
    .map((head, index) => ({ ...head, divergence: headDivergence[index] ?? 0 }))
    .toSorted((a, b) => b.divergence - a.divergence);
}

function mostChanged(difference: Difference): Head | null {
  const first = changedHeads(difference)[0];
  return first ? { layer: first.layer, head: first.head } : null;
}
