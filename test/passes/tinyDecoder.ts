import { architectureOf } from '../../main/architectures/index.ts';
import { safetensorsOf } from '../../main/formats/safetensors.ts';
import type { NamedTensors } from '../../main/formats/namedTensors.ts';
import type { PassInput } from '../../main/passes/pass.ts';
import type { GraphForm } from '../../preload/contract/models.ts';
import { safetensors } from '../models/safetensors.ts';
import { tinyLlamaConfig, tinyLlamaTensors, type TinyLlamaOptions } from '../models/tinyLlama.ts';

/** A random decoder as passes take it, and the weights it was built from. */
export function tinyDecoder(
  options: TinyLlamaOptions = {},
  form: GraphForm = 'fused',
): PassInput & { tensors: NamedTensors } {
  const config = tinyLlamaConfig({ vocabularySize: 40, ...options });
  const bytes = safetensors(tinyLlamaTensors(config, options));
  const tensors = safetensorsOf({
    length: bytes.length,
    path: 'tiny',
    read: (offset: number, length: number) => bytes.slice(offset, offset + length),
    close: () => {},
  });
  return { model: architectureOf(config, 'config.json').build(tensors, form), config, tensors };
}
