import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  samplingSchema,
  type ChatMessage,
  type GenerateRequest,
  type GraphForm,
  type Preset,
  type Prompt,
  type Sampling,
} from '../../preload/contract/index.ts';
import samples from '../../resources/prompts/samples.json' with { type: 'json' };
import { readStored, type Memory } from './memory.ts';

/** How many alternatives the window asks for per token: what the popover shows. */
const alternatives = 10;

/** The settings that a preset holds. */
export interface GenerationSettings {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly stop: readonly string[];
}

export interface Draft extends GenerationSettings {
  /** Key of the model to ask, see `modelKey`; null before any is known. */
  readonly model: string | null;
  readonly mode: Prompt['kind'];
  readonly text: string;
  readonly messages: readonly ChatMessage[];
  readonly overflow: GenerateRequest['overflow'];
  readonly form: GraphForm;
}

/** Prompts that show what a small story model can do. */
export const samplePrompts: readonly { title: string; text: string }[] = samples;

export const defaultSampling: Sampling = samplingSchema.parse({});

const firstDraft: Draft = {
  model: null,
  mode: 'completion',
  text: samples[0]?.text ?? '',
  messages: [
    { role: 'system', content: 'You answer briefly and plainly.' },
    { role: 'user', content: 'What is a lathe for?' },
  ],
  sampling: { ...defaultSampling, temperature: 0.7 },
  maxTokens: 256,
  stop: [],
  overflow: 'stop',
  form: 'fused',
};

export interface DraftStore {
  readonly store: StoreApi<Draft>;
  change(part: Partial<Draft>): void;
  changeSampling(part: Partial<Sampling>): void;
  /** Takes over prompt and settings of a run, or the settings of a preset. */
  restore(request: GenerateRequest): void;
  apply(preset: Preset): void;
}

/** What the user is about to run; remembered over restarts. */
export function createDraft(memory: Memory): DraftStore {
  const store = createStore<Draft>(() => readDraft(memory));
  store.subscribe((draft) => memory.write('draft', draft));
  const change = (part: Partial<Draft>): void => store.setState(part);
  return {
    store,
    change,
    changeSampling: (part) =>
      store.setState(({ sampling }) => ({ sampling: { ...sampling, ...part } })),
    restore: ({ model, prompt, sampling, maxTokens, stop, overflow, form }) => {
      const settings = { model, sampling, maxTokens, stop, overflow, form };
      if (prompt.kind === 'completion')
        change({ ...settings, mode: 'completion', text: prompt.text });
      else change({ ...settings, mode: 'chat', messages: prompt.messages });
    },
    apply: ({ sampling, maxTokens, stop }) => change({ sampling, maxTokens, stop }),
  };
}

/** What was remembered, where it still fits; a remembered part that does not is left out. */
function readDraft(memory: Memory): Draft {
  const stored = readStored<Draft>(memory, 'draft');
  const sampling = samplingSchema.safeParse(stored.sampling);
  return {
    ...firstDraft,
    ...stored,
    sampling: sampling.success ? sampling.data : firstDraft.sampling,
  };
}

/** The prompt as the engine takes it. */
export const promptOf = ({ mode, text, messages }: Draft): Prompt =>
  mode === 'completion'
    ? { kind: 'completion', text }
    : { kind: 'chat', messages: messages.filter(({ content }) => content !== '') };

/** The request that runs a draft; null while there is no model or nothing to answer. */
export function requestOf(draft: Draft): GenerateRequest | null {
  const prompt = promptOf(draft);
  if (draft.model === null || (prompt.kind === 'chat' && prompt.messages.length === 0)) return null;
  return {
    model: draft.model,
    prompt,
    prefix: [],
    sampling: draft.sampling,
    maxTokens: draft.maxTokens,
    stop: [...draft.stop],
    overflow: draft.overflow,
    alternatives,
    form: draft.form,
    record: true,
  };
}
