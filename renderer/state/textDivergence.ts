import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient, Losses, Progress } from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

export type ReadingState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'reading'; readonly progress: Progress | null }
  | { readonly kind: 'done'; readonly losses: Losses; readonly text: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface TextDivergenceState {
  readonly text: string;
  readonly reading: ReadingState;
}

export interface TextDivergence {
  readonly store: StoreApi<TextDivergenceState>;
  setText(text: string): void;
  /** Reads the text with a base and its variants; what was being read is given up. */
  read(base: string, variants: readonly string[]): Promise<void>;
  stop(): void;
}

const firstText =
  'Once upon a time there was a little girl named Lily. She had a big red ball. One day the ball ' +
  'rolled into the garden, and a small dog ran after it. "Come back!" said Lily. The dog was happy.';

/** How far variants are from their base at every token of a text. */
export function createTextDivergence(client: EngineClient): TextDivergence {
  const store = createStore<TextDivergenceState>(() => ({
    text: firstText,
    reading: { kind: 'idle' },
  }));
  let running: AbortController | null = null;
  const show = (reading: ReadingState): void => store.setState({ reading });
  return {
    store,
    setText: (text) => store.setState({ text }),
    async read(base, variants) {
      running?.abort();
      const controller = new AbortController();
      running = controller;
      const { text } = store.getState();
      show({ kind: 'reading', progress: null });
      try {
        const events = await client.inspect.losses(
          { models: [base, ...variants], text },
          { signal: controller.signal },
        );
        for await (const event of events) {
          if (controller.signal.aborted) return;
          if (event.kind === 'progress') show({ kind: 'reading', progress: event });
          else show({ kind: 'done', losses: event.losses, text });
        }
      } catch (error) {
        if (!controller.signal.aborted) show({ kind: 'failed', failure: toFailure(error) });
      }
    },
    stop() {
      running?.abort();
      if (store.getState().reading.kind === 'reading') show({ kind: 'idle' });
    },
  };
}

/** A token where a variant and its base part most. */
export interface Peak {
  /** Place of the token in the text. */
  readonly position: number;
  /** Index among the variants. */
  readonly variant: number;
  readonly kl: number;
}

/** The tokens of largest divergence over all variants, the largest first, each token once. */
export function peaksOf({ models }: Losses, count: number): Peak[] {
  const variants = models.filter(({ kl }) => kl !== null);
  const length = variants[0]?.kl?.length ?? 0;
  const all = Array.from({ length }, (_, index): Peak => {
    const values = variants.map(({ kl }) => kl?.[index] ?? 0);
    const kl = Math.max(...values);
    // The first token is not scored: value 0 is of token 1.
    return { position: index + 1, variant: values.indexOf(kl), kl };
  });
  return all.toSorted((a, b) => b.kl - a.kl).slice(0, count);
}
