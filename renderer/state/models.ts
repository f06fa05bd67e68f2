import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  EngineClient,
  FolderListing,
  GraphFacts,
  GraphForm,
  MemoryEstimate,
  ModelFacts,
  LinearFacts,
  ModelRecord,
  Progress,
  TensorFacts,
  Token,
  Prompt,
  VariantReport,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

export type ImportState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'importing'; readonly path: string; readonly progress: Progress | null }
  | { readonly kind: 'failed'; readonly path: string; readonly failure: Failure };

export interface ModelsState {
  /** Models of the library and folders opened in place; null until the list was asked for. */
  readonly models: readonly ModelRecord[] | null;
  /** Key of the model whose facts the library shows. */
  readonly selected: string | null;
  readonly importing: ImportState;
  readonly failure: Failure | null;
}

export interface Models {
  readonly store: StoreApi<ModelsState>;
  load(): Promise<void>;
  select(key: string): void;
  /** Uses a folder where it lies; resolves to its key, or null when it failed. */
  openFolder(path: string): Promise<string | null>;
  /** Copies a folder into the library; resolves to the new key, or null when it failed. */
  importFolder(path: string, name?: string): Promise<string | null>;
  cancelImport(): void;
  /** Forgets a folder opened in place, or moves a model of the library to the trash. Gives the undo. */
  remove(model: ModelRecord): Promise<() => Promise<void>>;
  folders(path: string | null): Promise<FolderListing>;
  facts(key: string): Promise<ModelFacts>;
  tensors(key: string): Promise<readonly TensorFacts[]>;
  graph(key: string, form: GraphForm): Promise<GraphFacts>;
  /** The linear layers in the order they run. */
  linears(key: string): Promise<readonly LinearFacts[]>;
  /** How a variant was made. */
  report(key: string): Promise<VariantReport>;
  memoryAt(key: string, context: number): Promise<MemoryEstimate>;
  tokenize(key: string, prompt: Prompt, signal?: AbortSignal): Promise<readonly Token[]>;
}

/** How requests name a model: by its name in the library, or by its folder. */
export const modelKey = ({ source, name, folder }: ModelRecord): string =>
  source === 'folder' ? folder : name;

/** What is there to run: the library, and folders opened in place, which the engine remembers. */
export function createModels(client: EngineClient): Models {
  const store = createStore<ModelsState>(() => ({
    models: null,
    selected: null,
    importing: { kind: 'idle' },
    failure: null,
  }));
  let importing: AbortController | null = null;

  const load = async (): Promise<void> => {
    try {
      const models = await client.models.list();
      store.setState(({ selected }) => ({
        models,
        failure: null,
        selected: models.some((model) => modelKey(model) === selected)
          ? selected
          : ((models[0] && modelKey(models[0])) ?? null),
      }));
    } catch (error) {
      store.setState({ failure: toFailure(error) });
    }
  };
  const added = async (record: ModelRecord): Promise<string> => {
    await load();
    const selected = modelKey(record);
    store.setState({ selected, importing: { kind: 'idle' } });
    return selected;
  };

  return {
    store,
    load,
    select: (selected) => store.setState({ selected }),
    async openFolder(path) {
      store.setState({ importing: { kind: 'importing', path, progress: null } });
      try {
        const { record } = await client.models.facts({ model: path });
        return await added(record);
      } catch (error) {
        store.setState({ importing: { kind: 'failed', path, failure: toFailure(error) } });
        return null;
      }
    },
    async importFolder(path, name) {
      importing?.abort();
      const controller = new AbortController();
      importing = controller;
      store.setState({ importing: { kind: 'importing', path, progress: null } });
      try {
        const events = await client.models.import(name === undefined ? { path } : { path, name }, {
          signal: controller.signal,
        });
        for await (const event of events) {
          if (event.kind === 'done') return await added(event.model);
          store.setState({ importing: { kind: 'importing', path, progress: event } });
        }
        store.setState({ importing: { kind: 'idle' } });
      } catch (error) {
        store.setState({
          importing: controller.signal.aborted
            ? { kind: 'idle' }
            : { kind: 'failed', path, failure: toFailure(error) },
        });
      }
      return null;
    },
    cancelImport() {
      importing?.abort();
      store.setState({ importing: { kind: 'idle' } });
    },
    async remove(model) {
      const { trashId } = await client.models.remove({ model: modelKey(model) });
      await load();
      return async () => {
        await client.models.restore({ trashId });
        await load();
      };
    },
    folders: (path) => client.system.folders(path === null ? {} : { path }),
    facts: (model) => client.models.facts({ model }),
    tensors: (model) => client.models.tensors({ model }),
    graph: (model, form) => client.models.graph({ model, form }),
    linears: (model) => client.models.linears({ model }),
    report: (model) => client.models.report({ model }),
    memoryAt: (model, context) => client.models.memory({ model, context }),
    tokenize: (model, prompt, signal) =>
      client.tokenize({ model, prompt }, signal ? { signal } : {}),
  };
}
