import { LatheError } from '../../preload/contract/errors.ts';
import type { Port } from './session.ts';

/** The keys or the values of one layer: the input that takes them, the output that gives them. */
export interface CachePort {
  readonly past: string;
  readonly present: string;
  /** Layers may differ: heads can be cut out of one and not of another. */
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What a decoder graph takes and gives, recognised from its inputs and outputs. */
export interface Signature {
  /** Two per layer. */
  readonly cache: readonly CachePort[];
  readonly vocabularySize: number;
  /** Which of the optional inputs the graph has. */
  readonly takes: {
    /** Positions along the sequence whose logits are wanted; without it all are given. */
    readonly logits_index: boolean;
    /** 1 for every token so far, [batch, total]. */
    readonly attention_mask: boolean;
    /** Position of every new token, [batch, sequence]. */
    readonly position_ids: boolean;
    /** Tokens so far less one, per row (GroupQueryAttention). */
    readonly seqlens_k: boolean;
    /** Tokens so far (GroupQueryAttention). */
    readonly total_sequence_length: boolean;
  };
}

const pastName = /^past_key_values\.\d+\.(key|value)$/;

/**
 * Recognises a decoder with a key-value cache, whether built by Lathe or exported by others in the
 * layout that Hugging Face's exporters use. Throws `graph_invalid`, naming input or output.
 */
export function signatureOf(
  file: string,
  inputs: readonly Port[],
  outputs: readonly Port[],
): Signature {
  const invalid = (problem: string, port: string): LatheError =>
    new LatheError('graph_invalid', `${problem}: ${port}`, { file, tensor: port });
  const taken = new Set(inputs.map(({ name }) => name));
  const given = new Map(outputs.map((port) => [port.name, port]));

  if (!taken.has('input_ids'))
    throw invalid('the graph is no decoder, it lacks this input', 'input_ids');
  const takes = {
    logits_index: taken.has('logits_index'),
    attention_mask: taken.has('attention_mask'),
    position_ids: taken.has('position_ids'),
    seqlens_k: taken.has('seqlens_k'),
    total_sequence_length: taken.has('total_sequence_length'),
  };
  for (const { name } of inputs)
    if (name !== 'input_ids' && !(name in takes) && !pastName.test(name))
      throw invalid('a decoder does not take this input', name);

  const logits = given.get('logits');
  if (!logits) throw invalid('the graph is no decoder, it lacks this output', 'logits');
  if (logits.dataType !== 'float32')
    throw invalid(`logits must be float32, not ${logits.dataType}`, 'logits');
  const vocabularySize = logits.shape.at(-1);
  if (typeof vocabularySize !== 'number')
    throw invalid('the size of the vocabulary is not fixed', 'logits');

  const pasts = inputs.filter(({ name }) => pastName.test(name));
  if (pasts.length === 0)
    throw invalid('the graph has no key-value cache, it lacks this input', 'past_key_values.0.key');
  const cache = pasts.map(({ name: past, dataType, shape }) => {
    const present = past.replace('past_key_values', 'present');
    if (!given.has(present))
      throw invalid('the graph does not give its cache back, it lacks this output', present);
    // The binding of onnxruntime-node 1.30.0 cannot pass float16 under Node 24.
    if (dataType !== 'float32') throw invalid(`the cache must be float32, not ${dataType}`, past);
    const [, kvHeads, , headDim] = shape;
    if (typeof kvHeads !== 'number' || typeof headDim !== 'number')
      throw invalid('the size of the cache is not fixed', past);
    return { past, present, kvHeads, headDim };
  });
  return { cache, vocabularySize, takes };
}
