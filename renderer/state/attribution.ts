import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  samplingSchema,
  type Alternative,
  type Attribution,
  type AttributionRequest,
  type EngineClient,
  type Prompt,
} from '../../preload/contract/index.ts';
import { createWorker, idle, type Work } from './work.ts';

type Choices = Pick<AttributionRequest, 'level' | 'method'>;

export interface AttributionState extends Choices {
  /** Id of the token to explain; null for the most probable one. */
  readonly target: number | null;
  readonly attribution: Work<Attribution>;
  /** What `attribution` was asked. */
  readonly asked: AttributionRequest | null;
  /** Unit whose values are shown. */
  readonly unit: number | null;
}

/** What each part of a prompt does to a token behind it. */
export interface AttributionStore {
  readonly store: StoreApi<AttributionState>;
  change(part: Partial<Choices & Pick<AttributionState, 'target' | 'unit'>>): void;
  run(model: string, prompt: Prompt): Promise<void>;
  cancel(): void;
  /** The tokens that could come behind a prompt, the most probable first. */
  candidates(model: string, prompt: Prompt, signal?: AbortSignal): Promise<readonly Alternative[]>;
}

/** As many candidates as are worth choosing from. */
const most = 12;

export function createAttribution(client: EngineClient): AttributionStore {
  const store = createStore<AttributionState>(() => ({
    level: 'word',
    method: 'leave-one-out',
    target: null,
    attribution: idle,
    asked: null,
    unit: null,
  }));
  const worker = createWorker();
  return {
    store,
    change: (part) => store.setState(part),
    async run(model, prompt) {
      const { level, method, target } = store.getState();
      const asked = { model, prompt, level, method, ...(target !== null && { target }) };
      store.setState({ asked, unit: null, attribution: { kind: 'working', progress: null } });
      await worker.start(
        (signal) => client.inspect.attribution(asked, { signal }),
        (event) =>
          store.setState({
            attribution:
              event.kind === 'done'
                ? { kind: 'done', result: event.attribution }
                : { kind: 'working', progress: event },
          }),
        (failure) => store.setState({ attribution: { kind: 'failed', failure } }),
      );
    },
    cancel() {
      worker.cancel();
      store.setState({ attribution: idle });
    },
    async candidates(model, prompt, signal) {
      const options = signal ? { signal } : {};
      const events = await client.generate(
        {
          model,
          prompt,
          prefix: [],
          sampling: samplingSchema.parse({ temperature: 0 }),
          maxTokens: 1,
          stop: [],
          overflow: 'stop',
          alternatives: most,
          form: 'fused',
          record: false,
        },
        options,
      );
      for await (const event of events) {
        if (event.kind === 'token') return event.alternatives;
      }
      // The text would end here, which generation does not tell as a token: a capture does.
      for await (const event of await client.inspect.capture({ model, prompt }, options)) {
        if (event.kind !== 'done') continue;
        const capture = event.capture.id;
        const predictions = await client.inspect.predictions({ capture, top: most }, options);
        return predictions.at(-1)?.alternatives ?? [];
      }
      return [];
    },
  };
}
