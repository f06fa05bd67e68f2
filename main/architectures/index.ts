import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Architecture } from './architecture.ts';
import { parseConfig } from './config.ts';
import { readLlamaConfig, type LlamaConfig } from './llama/config.ts';
import { llamaArchitecture } from './llama/index.ts';
import { readMistralConfig, readQwen2Config } from './llama/relatives.ts';

interface Family {
  /** What `architectures` gives for it. */
  readonly className: string;
  readonly read: (json: unknown, file: string) => LlamaConfig;
}

/** Families by `model_type`. */
const families = new Map<string, Family>([
  ['llama', { className: 'LlamaForCausalLM', read: readLlamaConfig }],
  ['mistral', { className: 'MistralForCausalLM', read: readMistralConfig }],
  ['qwen2', { className: 'Qwen2ForCausalLM', read: readQwen2Config }],
]);

const schema = z.object({
  model_type: z.string().nullish(),
  architectures: z.array(z.string()).nullish(),
});

/**
 * The architecture that a config.json names. `config_invalid` where a field cannot be used,
 * `architecture_unsupported` for a family Lathe does not build.
 */
export function architectureOf(config: unknown, file: string): Architecture {
  const { model_type: modelType, architectures } = parseConfig(schema, config, file);
  const className = architectures?.[0];
  const family = [...families].find(([type, known]) =>
    modelType === undefined || modelType === null
      ? known.className === className
      : type === modelType && (className === undefined || known.className === className),
  );
  if (family === undefined) {
    const names = [modelType, className].filter((name) => typeof name === 'string');
    const value = names.join(', ') || 'none';
    const supported = [...families].map(([type, known]) => `${type} (${known.className})`);
    throw new LatheError(
      'architecture_unsupported',
      `architecture is not supported: ${value}; supported: ${supported.join(', ')} (${file})`,
      { file, value, next: ['choose-model'] },
    );
  }
  const [name, { read }] = family;
  return llamaArchitecture(name, read(config, file));
}
