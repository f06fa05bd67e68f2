import { readDecoder } from '../passes/decoder.ts';
import { GraphIndex } from '../passes/graphIndex.ts';
import { withAttentionMask } from './attentionMask.ts';
import type { ExportFile, ExportInput, Json } from './fileSet.ts';
import { sidecars, tokenIds } from './sidecars.ts';
import { requireUniform, sizedConfig } from './sizes.ts';

/**
 * A folder for onnxruntime-genai: genai_config.json with the fields of its configuration reference
 * (onnxruntime.ai/docs/genai/reference/config.html), model.onnx and the tokenizer. It makes one
 * cache shape for all blocks.
 */
export function genaiFiles(input: ExportInput): ExportFile[] {
  const decoder = readDecoder(input.model);
  const { heads, kvHeads } = requireUniform(decoder, 'onnxruntime-genai', input.passes, [
    'kvHeads',
  ]);
  const { headDim, node } = decoder.blocks[0].attention;
  const positions = new GraphIndex(input.model).weight(node.inputs[7])?.dims[0] ?? 0;
  const { config, generation } = input;
  const stated = Number(config['max_position_embeddings'] ?? positions);
  const contextLength = Math.min(stated, positions);
  const ids = tokenIds(input);
  const end: unknown = ids['eos_token_id'];
  const first: unknown = Array.isArray(end) ? end[0] : end;
  const settings = {
    model: {
      ...ids,
      ...(ids['pad_token_id'] === undefined && first !== undefined ? { pad_token_id: first } : {}),
      context_length: contextLength,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: 'model.onnx',
        head_size: headDim,
        hidden_size: decoder.hiddenSize,
        inputs: {
          input_ids: 'input_ids',
          attention_mask: 'attention_mask',
          past_key_names: 'past_key_values.%d.key',
          past_value_names: 'past_key_values.%d.value',
        },
        outputs: {
          logits: 'logits',
          present_key_names: 'present.%d.key',
          present_value_names: 'present.%d.value',
        },
        num_attention_heads: heads,
        num_hidden_layers: decoder.blocks.length,
        num_key_value_heads: kvHeads,
      },
      type: 'llama',
      vocab_size: decoder.vocabularySize,
    },
    search: searchOf(generation ?? {}, contextLength),
  };
  return [
    { kind: 'json', path: 'genai_config.json', content: settings },
    { kind: 'json', path: 'config.json', content: sizedConfig(config, decoder) },
    ...sidecars(input),
    {
      kind: 'graph',
      path: 'model.onnx',
      ending: '.data',
      model: withAttentionMask(input.model),
    },
  ];
}

/** How to search where the caller does not say; GroupQueryAttention extends its cache in place. */
function searchOf(generation: Json, contextLength: number): Json {
  const number = (field: string, standard: number): number =>
    typeof generation[field] === 'number' ? generation[field] : standard;
  return {
    diversity_penalty: 0,
    do_sample: generation['do_sample'] === true,
    early_stopping: true,
    length_penalty: 1,
    max_length: contextLength,
    min_length: 0,
    no_repeat_ngram_size: 0,
    num_beams: 1,
    num_return_sequences: 1,
    past_present_share_buffer: true,
    repetition_penalty: number('repetition_penalty', 1),
    temperature: number('temperature', 1),
    top_k: number('top_k', 50),
    top_p: number('top_p', 1),
  };
}
