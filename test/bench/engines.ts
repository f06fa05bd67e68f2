import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { generateRequestSchema } from '../../preload/contract/generation.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { generate } from '../../main/inference/generate.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import { configS } from './modelS.ts';

export const engineNames = ['lathe', 'transformers.js', 'node-llama-cpp'] as const;
export type EngineName = (typeof engineNames)[number];

/** One generation as its user sees it: greedy, sampling included. */
export interface Sample {
  /** Milliseconds from the prompt to the first token. */
  readonly firstMs: number;
  /** Milliseconds of every token after the first. */
  readonly tokenMs: readonly number[];
  readonly ids: readonly number[];
}

/** Reads a prompt and generates `count` tokens behind the first. */
export type Run = (prompt: readonly number[], count: number) => Promise<Sample>;

async function openLathe(folder: string, threads: number): Promise<Run> {
  const decoder = await Decoder.open(join(folder, 'lathe', 'fused.onnx'), {
    threads,
    device: 'cpu',
    contextLength: configS.max_position_embeddings,
  });
  if (!decoder.fastCache) throw new Error('the cache is copied: the binding has no guard');
  return async (prompt, count) => {
    decoder.rewind(0);
    const request = generateRequestSchema.parse({
      model: 'S',
      prompt: { kind: 'completion', text: '' },
      sampling: { temperature: 0 },
      maxTokens: count + 1,
    });
    const clock = startClock();
    for await (const event of generate(decoder, tokenizerOf(prompt), request))
      if (event.kind === 'token') clock.token(event.id);
    return clock.sample();
  };
}

/** Model S has no vocabulary of words: the prompt is given as ids, and tokens have no text. */
function tokenizerOf(prompt: readonly number[]): Tokenizer {
  return {
    encode: () => [...prompt],
    token: () => ({ text: '', bytes: new Uint8Array() }),
    streamDecoder: () => ({ push: () => '', flush: () => '' }),
    vocabularySize: configS.vocab_size,
    endOfText: new Set(),
    beginOfText: null,
    chatTemplate: null,
    fallback: () => null,
    templateTokens: {},
    decode: () => '',
  };
}

/** What the bench uses of @huggingface/transformers. */
interface Transformers {
  env: { allowRemoteModels: boolean; localModelPath: string };
  Tensor: new (type: 'int64', data: BigInt64Array, dims: number[]) => object;
  AutoModelForCausalLM: {
    from_pretrained(
      name: string,
      options: object,
    ): Promise<{ generate(options: object): Promise<unknown> }>;
  };
}

async function openTransformers(folder: string, threads: number): Promise<Run> {
  const { env, Tensor, AutoModelForCausalLM }: Transformers = await import(
    pathToFileURL(join(folder, 'peers', 'transformers.js')).href
  );
  env.allowRemoteModels = false;
  env.localModelPath = folder;
  const model = await AutoModelForCausalLM.from_pretrained('exported', {
    dtype: 'fp32',
    device: 'cpu',
    local_files_only: true,
    session_options: { intraOpNumThreads: threads },
  });
  return async (prompt, count) => {
    const clock = startClock();
    let calls = 0;
    await model.generate({
      input_ids: new Tensor('int64', BigInt64Array.from(prompt, BigInt), [1, prompt.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), [
        1,
        prompt.length,
      ]),
      max_new_tokens: count + 1,
      min_new_tokens: count + 1,
      do_sample: false,
      streamer: {
        // The first call gives the prompt.
        put: ([[id]]: bigint[][]) => {
          if (calls++ > 0) clock.token(Number(id));
        },
        end: () => undefined,
      },
    });
    return clock.sample();
  };
}

/** What the bench uses of node-llama-cpp. */
interface Llama {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
    }>;
  }>;
}

interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluate(prompt: readonly number[], options: object): AsyncIterable<number>;
}

async function openLlama(folder: string, threads: number): Promise<Run> {
  const { getLlama }: Llama = await import(pathToFileURL(join(folder, 'peers', 'llama.js')).href);
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    logLevel: 'error',
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: join(folder, 'model.gguf') });
  const contextSize = configS.max_position_embeddings;
  const context = await model.createContext({ contextSize, batchSize: 512, threads });
  const sequence = context.getSequence();
  return async (prompt, count) => {
    await sequence.clearHistory();
    const clock = startClock();
    for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true }))
      if (clock.token(id) > count) break;
    return clock.sample();
  };
}

function startClock(): { token(id: number): number; sample(): Sample } {
  const ids: number[] = [];
  const times: number[] = [];
  let last = performance.now();
  return {
    token(id) {
      const now = performance.now();
      times.push(now - last);
      last = now;
      return ids.push(id);
    },
    sample: () => ({ firstMs: times[0], tokenMs: times.slice(1), ids }),
  };
}

/** Loads model S into an engine; `folder` is the bench's. */
export const openEngine: Record<EngineName, (folder: string, threads: number) => Promise<Run>> = {
  lathe: openLathe,
  'transformers.js': openTransformers,
  'node-llama-cpp': openLlama,
};
