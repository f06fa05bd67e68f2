import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  EngineClient,
  ExportFormat,
  ExportRequest,
  ExportResult,
  Progress,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

export type ExportState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'exporting'; readonly progress: Progress | null }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly result: ExportResult };

/** The one export that the window runs at a time. */
export interface Exports {
  readonly store: StoreApi<ExportState>;
  start(request: ExportRequest): Promise<void>;
  /** Ends an export that runs, and forgets how the last one went. */
  cancel(): void;
}

/** The formats in the order they are offered, and what each is good for. */
export const exportFormats: readonly {
  readonly format: ExportFormat;
  readonly name: string;
  readonly purpose: string;
}[] = [
  {
    format: 'transformers-js',
    name: 'transformers.js',
    purpose: 'Runs in a browser or in Node with @huggingface/transformers.',
  },
  {
    format: 'onnxruntime-genai',
    name: 'onnxruntime-genai',
    purpose: 'Runs in Python, C#, C++ or Java with onnxruntime-genai.',
  },
  {
    format: 'safetensors-f16',
    name: 'safetensors, float16',
    purpose: 'Opens in transformers for Python; quantized weights become float16 again.',
  },
  {
    format: 'lathe',
    name: 'Lathe',
    purpose: 'Opens in Lathe on another machine, just as it is here.',
  },
];

/** A folder within another, written as the other is. */
export function inFolder(parent: string, name: string): string {
  const separator = parent.includes('\\') ? '\\' : '/';
  return parent.endsWith(separator) ? `${parent}${name}` : `${parent}${separator}${name}`;
}

export function createExports(client: EngineClient): Exports {
  const store = createStore<ExportState>(() => ({ kind: 'idle' }));
  let running: AbortController | null = null;
  return {
    store,
    async start(request) {
      running?.abort();
      const controller = new AbortController();
      running = controller;
      /** What an export tells that was cancelled nobody wants to hear. */
      const tell = (state: ExportState): void => {
        if (running === controller) store.setState(state, true);
      };
      tell({ kind: 'exporting', progress: null });
      try {
        const { signal } = controller;
        for await (const event of await client.models.export(request, { signal })) {
          if (event.kind === 'progress') {
            tell({ kind: 'exporting', progress: event });
            continue;
          }
          const { kind: _, ...result } = event;
          tell({ kind: 'done', result });
        }
      } catch (error) {
        tell({ kind: 'failed', failure: toFailure(error) });
      }
    },
    cancel() {
      running?.abort();
      running = null;
      store.setState({ kind: 'idle' }, true);
    },
  };
}
