import * as z from 'zod';
import { parseConfig } from '../config.ts';
import { MAX_POSITIONS, readLlamaConfig, type LlamaConfig } from './config.ts';

const window = z.int().min(1).max(MAX_POSITIONS).nullish();

const mistral = z.object({ sliding_window: window });
const qwen2 = z.object({ sliding_window: window, use_sliding_window: z.boolean().default(false) });

/** What MistralConfig of transformers takes where a config.json says nothing. */
const mistralWindow = 4096;

/**
 * Mistral (Jiang et al. 2023) is Llama without biases, in which tokens may see the last few
 * thousand only. Texts are limited to these: within them the two are the same.
 */
export function readMistralConfig(json: unknown, file: string): LlamaConfig {
  const { sliding_window: seen = mistralWindow } = parseConfig(mistral, json, file);
  const config = readLlamaConfig(json, file);
  return within(seen, { ...config, ...biases({ queriesKeysValues: false }) });
}

/**
 * Qwen2 and Qwen2.5 (Yang et al. 2024) are Llama with biases of queries, keys and values. Where a
 * model slides a window in its upper blocks, texts are limited to the window.
 */
export function readQwen2Config(json: unknown, file: string): LlamaConfig {
  const { sliding_window: seen, use_sliding_window: slides } = parseConfig(qwen2, json, file);
  const config = readLlamaConfig(json, file);
  return within(slides ? seen : null, { ...config, ...biases({ queriesKeysValues: true }) });
}

const biases = ({ queriesKeysValues }: { queriesKeysValues: boolean }) => ({
  attentionBias: queriesKeysValues,
  outputBias: false,
  mlpBias: false,
});

const within = (seen: number | null | undefined, config: LlamaConfig): LlamaConfig => ({
  ...config,
  contextLength: Math.min(config.contextLength, seen ?? Infinity),
});
