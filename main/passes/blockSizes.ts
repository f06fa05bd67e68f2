import type { Model } from '../onnx/model.ts';
import { readDecoder } from './decoder.ts';
import type { PassInput } from './pass.ts';

/**
 * config.json for a model cut out of `before`. Sizes that all blocks share go where other tools look
 * for them; where blocks differ those fields stay, and `lathe.blocks` lists what the graph says.
 */
export function sizesInConfig(before: PassInput, after: Model): Record<string, unknown> {
  const { blocks } = readDecoder(after);
  const sizes = blocks.map(({ attention: { heads, kvHeads }, neurons }) => ({
    heads,
    kvHeads,
    neurons,
  }));
  const { lathe, ...config } = before.config;
  const { blocks: _, ...noted } = isRecord(lathe) ? lathe : {};
  const [{ heads, kvHeads, neurons }] = sizes;
  const uniform = sizes.every(
    (size) => size.heads === heads && size.kvHeads === kvHeads && size.neurons === neurons,
  );
  const note = uniform ? noted : { ...noted, blocks: sizes };
  const fields = uniform
    ? {
        num_attention_heads: heads,
        num_key_value_heads: kvHeads,
        intermediate_size: neurons,
        // Where it is not given it is taken for hidden_size / num_attention_heads, as it was.
        head_dim:
          config['head_dim'] ??
          Number(config['hidden_size']) / Number(config['num_attention_heads']),
      }
    : {};
  return {
    ...config,
    ...fields,
    num_hidden_layers: blocks.length,
    ...(Object.keys(note).length === 0 ? {} : { lathe: note }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
