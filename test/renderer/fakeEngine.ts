import { createRouterClient, implement } from '@orpc/server';
import {
  contract,
  LatheError,
  samplingSchema,
  type EngineClient,
  type EngineEvent,
  type GeneratedToken,
  type GenerateEvent,
  type GenerateRequest,
  type Job,
  type EvaluationRecord,
  type ModelRecord,
  type Preset,
  type Prompt,
  type Run,
  type RunnerState,
  type Settings,
  settingsSchema,
  type Token,
} from '../../preload/contract/index.ts';
import type { ConnectionState, EngineConnection } from '../../renderer/engine/connection.ts';
import { fakeCompress } from './fakeCompress.ts';
import { fakeDifference } from './fakeDifference.ts';
import { fakeInspect } from './fakeInspect.ts';
import { fakeMeasurements, type FakeBench } from './fakeMeasurements.ts';
import { facts, graph, records, tensors } from './fakeModels.ts';

export interface FakeOptions {
  /** Milliseconds between tokens; 0 gives them as fast as they are taken. */
  tokenMs?: number;
  /** The text that every run writes, token by token. */
  text?: string;
  /** After how many tokens the runner ends. */
  crashAfter?: number;
  models?: readonly ModelRecord[];
  runs?: readonly Run[];
  settings?: Partial<Settings>;
  /** Milliseconds that each layer of a job takes. */
  layerMs?: number;
  /** Milliseconds that each step of a comparison takes. */
  stepMs?: number;
  /** What models are like inside. */
  shape?: { readonly layers: number; readonly heads: number };
  jobs?: readonly Job[];
  evaluations?: readonly EvaluationRecord[];
  benches?: readonly FakeBench[];
}

export interface FakeEngine extends EngineConnection {
  /** Every request that `generate` was given. */
  readonly requests: GenerateRequest[];
  /** Ends the connection as a dying engine does, or brings it back. */
  setConnection(state: ConnectionState): void;
  emit(event: EngineEvent): void;
  /** Lets all captures go, as a runner does that ends. */
  forgetCaptures(): void;
}

const story =
  'Once there was a small robot who lived in a garden. It had one bright eye and two soft hands.\n' +
  'Every morning the robot watered the flowers. “Good morning, roses,” it said. “Good morning, bees.”\n\n' +
  'One day the rain did not come. The roses hung their heads, and the robot was sad. ' +
  'It thought and thought. Then it had an idea! It took a big blue bucket and walked to the river.\n' +
  'The bucket was heavy, but the robot did not stop. When the water touched the roses, they lifted ' +
  'their heads and smiled. The robot was happy, and the bees were happy too.\n';

/** A pseudo-random number in [0, 1) for an index: the same picture every time. */
const noise = (index: number): number => {
  const value = Math.sin(index * 12.9898 + 4.1414) * 43758.5453;
  return value - Math.floor(value);
};

const others = [' the', ' a', ' little', ' and', ' it', ' was', '.', ' big', ' her', ' in'];

/** Cuts text into pieces like a tokenizer's and gives each a probability and alternatives. */
export function fakeTokens(text: string, alternatives = 10): GeneratedToken[] {
  const pieces = text.match(/\n+|“| ?[\p{L}]{1,6}|[^\p{L}]/gu) ?? [];
  return pieces.map((piece, index) => {
    const probability = Math.max(0.0004, noise(index) ** 1.6);
    const rest = others.filter((other) => other !== piece);
    const all = [
      { id: 100 + index, text: piece, logprob: Math.log(probability) },
      ...rest.map((other, at) => ({
        id: 2000 + at,
        text: other,
        logprob: Math.log(Math.max(1e-5, (1 - probability) * 0.55 * 0.6 ** at)),
      })),
    ].toSorted((a, b) => b.logprob - a.logprob);
    return {
      kind: 'token',
      id: 100 + index,
      text: piece,
      logprob: Math.log(probability),
      alternatives: all.slice(0, alternatives),
      ms: index === 0 ? 18.4 : 4 + noise(index + 1000) * 1.5,
    };
  });
}

const presets: Preset[] = [
  { name: 'Greedy', sampling: { temperature: 0 } },
  { name: 'Balanced', sampling: { temperature: 0.7, topP: 0.95 } },
  { name: 'Lively', sampling: { temperature: 1.1, minP: 0.05 } },
].map(({ name, sampling }) => ({
  name,
  sampling: samplingSchema.parse(sampling),
  maxTokens: 256,
  stop: [],
  builtIn: true,
}));

const wait = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('cancelled', 'AbortError'));
    });
  });

/** An engine without a model behind the real contract: inputs and outputs are checked by zod. */
export function createFakeEngine(options: FakeOptions = {}): FakeEngine {
  const { tokenMs = 0, text = story, crashAfter = Infinity } = options;
  const os = implement(contract);
  const models = [...(options.models ?? records)];
  const trash = new Map<string, ModelRecord>();
  const runs = new Map((options.runs ?? []).map((run) => [run.id, run]));
  const own: Preset[] = [];
  const requests: GenerateRequest[] = [];
  let settings: Settings = settingsSchema.parse(options.settings ?? {});
  let runners: RunnerState[] = [];
  const eventListeners = new Set<(event: EngineEvent) => void>();
  const emit = (event: EngineEvent): void => {
    for (const listener of eventListeners) listener(event);
  };
  const setRunner = (state: RunnerState): void => {
    runners = [...runners.filter(({ model }) => model !== state.model), state];
    emit({ kind: 'runner', state });
  };
  const find = (name: string): ModelRecord => {
    const found = models.find((model) => model.name === name || model.folder === name);
    if (found) return found;
    if (name.startsWith('/models/'))
      return { ...records[0], name: name.slice(8), folder: name, source: 'folder' };
    throw new LatheError('file_missing', `there is no config.json in this folder: ${name}`, {
      file: `${name}/config.json`,
    });
  };
  // Expected failures cross the border as the contract's own errors, as the real router does it.
  const failed = os.$context<object>().middleware(async ({ next, errors }) => {
    try {
      return await next();
    } catch (error) {
      if (error instanceof LatheError)
        throw errors[error.code]({ message: error.message, data: error.data });
      throw error;
    }
  });
  const checked = os.use(failed);

  async function* generate(
    request: GenerateRequest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<GenerateEvent> {
    requests.push(request);
    const model = find(request.model).name;
    const wasLoaded = runners.some((runner) => runner.model === model && runner.kind === 'ready');
    if (!wasLoaded) {
      setRunner({ kind: 'loading', model });
      yield { kind: 'progress', stage: 'Loading weights', fraction: 0.4, remainingMs: 60 };
      await wait(tokenMs * 4, signal);
    }
    setRunner({ kind: 'busy', model, rssBytes: 96_400_000, queued: 0 });
    const seed = request.sampling.seed ?? 2_463_534_242;
    const id = `run-${runs.size + 1}`;
    const base = { seed, promptTokens: 18, contextLength: 512 };
    yield { kind: 'start', runId: id, loadMs: wasLoaded ? 0 : 212, ...base };
    yield { kind: 'progress', stage: 'Reading the prompt', fraction: 0.5 };
    await wait(tokenMs * 4, signal);
    const tokens = fakeTokens(text, request.alternatives).slice(0, request.maxTokens);
    const sent: GeneratedToken[] = [];
    const record = (part: Pick<Run, 'finish' | 'error' | 'timing'>): void => {
      const written = sent.map((token) => token.text).join('');
      const startedAt = Date.parse('2026-03-01T12:00:00Z') + runs.size;
      runs.set(id, { id, startedAt, request, ...base, tokens: [...sent], text: written, ...part });
      setRunner({ kind: 'ready', model, rssBytes: 96_400_000, fastCache: true });
      emit({ kind: 'runs-changed' });
    };
    try {
      for (const token of tokens) {
        if (tokenMs > 0) await wait(tokenMs, signal);
        signal?.throwIfAborted();
        if (sent.length >= crashAfter) {
          const message = `the process that ran ${model} was ended by SIGKILL`;
          throw new LatheError('runner_crashed', message, { next: ['retry'] });
        }
        sent.push(token);
        yield token;
      }
    } catch (error) {
      const cancelled = signal?.aborted === true;
      const message = error instanceof Error ? error.message : String(error);
      record({
        finish: cancelled ? 'cancelled' : null,
        error: cancelled ? null : message,
        timing: null,
      });
      if (!cancelled) {
        setRunner({ kind: 'dead', model, code: 'runner_crashed', message, next: ['retry'] });
      }
      throw error;
    }
    const timing = { loadMs: 212, ttftMs: 18.4, msPerToken: 4.8, tokensPerSecond: 208 };
    record({ finish: 'max-tokens', error: null, timing });
    const written = sent.map((token) => token.text).join('');
    const counts = { promptTokens: 18, newTokens: sent.length };
    yield { kind: 'finish', reason: 'max-tokens', text: written, timing, ...counts };
  }

  const measurements = fakeMeasurements({
    evaluations: options.evaluations ?? [],
    benches: options.benches ?? [],
    find,
    emit,
  });
  const compress = fakeCompress({
    layerMs: options.layerMs ?? 0,
    jobs: options.jobs ?? [],
    find,
    emit,
    check: measurements.check,
    evaluated: measurements.evaluated,
    benched: measurements.benched,
    publish: (record) => {
      models.push(record);
      emit({ kind: 'models-changed' });
    },
  });

  const difference = fakeDifference({
    stepMs: options.stepMs ?? 0,
    find,
    cut: (whole) => fakeTokens(whole, 0).map((token) => token.text),
  });

  const inspect = fakeInspect({
    stepMs: options.stepMs ?? 0,
    find,
    tokens: tokensOf,
    ...(options.shape && { shape: options.shape }),
  });

  // What the window does not ask for yet is left out.
  const router = {
    system: {
      info: checked.system.info.handler(() => ({
        version: '0.1.0',
        node: '24.21.0',
        onnxruntime: '1.30.0',
        platform: 'linux x64',
        cpu: 'A processor of some kind at 3.1 GHz',
        cores: 8,
        memoryBytes: 33_500_000_000,
        threads: 4,
        device: 'cpu' as const,
        home: '/home/ada/.local/share/lathe',
      })),
      settings: checked.system.settings.handler(() => settings),
      saveSettings: checked.system.saveSettings.handler(({ input }) => {
        const changed = Object.entries(input).filter(([, value]) => value !== undefined);
        settings = { ...settings, ...Object.fromEntries(changed) };
        return settings;
      }),
      events: checked.system.events.handler(async function* ({ signal }) {
        const queue: EngineEvent[] = [];
        let wake: (() => void) | null = null;
        const listener = (event: EngineEvent): void => {
          queue.push(event);
          wake?.();
        };
        eventListeners.add(listener);
        try {
          for (;;) {
            if (signal?.aborted) return;
            const next = queue.shift();
            if (next) yield next;
            else await new Promise<void>((resolve) => (wake = resolve));
          }
        } finally {
          eventListeners.delete(listener);
        }
      }),
      folders: checked.system.folders.handler(({ input }) => {
        const path = input.path ?? '/models';
        if (!path.startsWith('/models'))
          throw new LatheError('file_missing', `there is no such folder: ${path}`, { file: path });
        const names = path === '/models' ? ['SmolLM2-135M', 'notes', 'stories15M'] : [];
        return {
          path,
          parent: path === '/models' ? '/' : '/models',
          isModel: path !== '/models' && !path.endsWith('notes'),
          folders: names.map((name) => ({
            name,
            path: `${path}/${name}`,
            isModel: name !== 'notes',
          })),
        };
      }),
    },
    models: {
      list: checked.models.list.handler(() => models),
      import: checked.models.import.handler(async function* ({ input, signal }) {
        const model = { ...find(input.path), source: 'library' as const };
        for (const fraction of [0.1, 0.35, 0.7, 1]) {
          yield { kind: 'progress', stage: 'Copying', fraction, remainingMs: 900 * (1 - fraction) };
          await wait(tokenMs * 20, signal);
        }
        models.push(model);
        yield { kind: 'done', model };
      }),
      export: checked.models.export.handler(async function* ({ input, signal }) {
        const { format, folder } = input;
        if (folder.endsWith('taken')) {
          const message = `the folder to export to must be new or empty: ${folder}`;
          throw new LatheError('already_exists', message, { file: folder });
        }
        for (const fraction of [0.2, 0.6, 1]) {
          yield { kind: 'progress', stage: 'writing weights', fraction };
          await wait(tokenMs * 20, signal);
        }
        const files = ['README.md', 'config.json', 'onnx/model_q4.onnx'].map((path, at) => ({
          path,
          bytes: 1000 * (at + 1),
          sha256: String(at + 1).repeat(64),
        }));
        yield { kind: 'done', format, folder, files };
      }),
      // As the engine does: a folder asked for by its path is remembered.
      facts: checked.models.facts.handler(({ input }) => {
        const model = find(input.model);
        if (!models.includes(model)) models.push(model);
        return facts(model);
      }),
      tensors: checked.models.tensors.handler(({ input }) => tensors(find(input.model))),
      graph: checked.models.graph.handler(({ input }) => graph(input.form)),
      memory: checked.models.memory.handler(
        ({ input }) => facts(find(input.model), input.context).memory,
      ),
      ...compress.models,
      remove: checked.models.remove.handler(({ input }) => {
        const model = find(input.model);
        models.splice(models.indexOf(model), 1);
        trash.set(model.name, model);
        return { trashId: model.name };
      }),
      restore: checked.models.restore.handler(({ input }) => {
        const model = trash.get(input.trashId);
        if (!model)
          throw new LatheError('not_found', `no such thing in the trash: ${input.trashId}`);
        models.push(model);
        return model;
      }),
    },
    runners: {
      list: checked.runners.list.handler(() => runners),
      unload: checked.runners.unload.handler(({ input }) => {
        runners = runners.filter(({ model }) => model !== input.model);
        emit({ kind: 'runner', state: { kind: 'unloaded', model: input.model } });
      }),
    },
    tokenize: checked.tokenize.handler(({ input }) => tokensOf(input.prompt)),
    generate: checked.generate.handler(({ input, signal }) => generate(input, signal)),
    runs: {
      list: checked.runs.list.handler(({ input }) =>
        [...runs.values()]
          .toReversed()
          .map(({ id, startedAt, text: written, finish, error, request, tokens }) => ({
            id,
            startedAt,
            text: written,
            finish,
            error,
            model: request.model,
            promptText:
              request.prompt.kind === 'completion'
                ? request.prompt.text
                : (request.prompt.messages.at(-1)?.content ?? ''),
            newTokens: tokens.length,
          }))
          .filter(({ text: written, promptText }) =>
            `${promptText} ${written}`.includes(input.search ?? ''),
          )
          .slice(0, input.limit),
      ),
      get: checked.runs.get.handler(({ input }) => {
        const run = runs.get(input.id);
        if (!run) throw new LatheError('not_found', `there is no such run: ${input.id}`);
        return run;
      }),
      remove: checked.runs.remove.handler(({ input }) => void runs.delete(input.id)),
    },
    inspect: { ...inspect.router, ...difference.inspect },
    compress: compress.compress,
    jobs: compress.jobs,
    recipes: compress.recipes,
    evaluations: { ...measurements.evaluations, start: compress.startEvaluations },
    benches: { ...measurements.benches, start: compress.startBenches },
    sweep: compress.sweep,
    presets: {
      list: checked.presets.list.handler(() => [...presets, ...own]),
      save: checked.presets.save.handler(({ input }) => {
        const preset = { ...input, builtIn: false };
        own.push(preset);
        return preset;
      }),
      remove: checked.presets.remove.handler(({ input }) => {
        own.splice(0, own.length, ...own.filter(({ name }) => name !== input.name));
      }),
    },
  };

  let state: ConnectionState = { kind: 'ready' };
  const listeners = new Set<(state: ConnectionState) => void>();
  const client = createRouterClient(router, { context: {} }) as unknown as EngineClient;
  return {
    client,
    requests,
    emit,
    forgetCaptures: inspect.forget,
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setConnection(next) {
      state = next;
      for (const listener of listeners) listener(next);
    },
    close: () => listeners.clear(),
  };
}

/** A prompt cut at its words, with their bytes. */
function tokensOf(prompt: Prompt): Token[] {
  const all =
    prompt.kind === 'completion'
      ? prompt.text
      : prompt.messages.map(({ content }) => content).join('\n');
  return fakeTokens(all, 0).map(({ id, text: piece }) => ({
    id,
    text: piece,
    bytes: [...new TextEncoder().encode(piece)],
  }));
}
