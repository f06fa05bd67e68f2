import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Architecture } from './architecture.ts';
import { parseConfig } from './config.ts';
import { llama } from './llama/index.ts';

/** Families by `model_type`, with the class names that `architectures` may give for them. */
const families = new Map([['llama', { className: 'LlamaForCausalLM', read: llama }]]);

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
  return family[1].read(config, file);
}
