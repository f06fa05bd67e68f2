import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from '../passes/decoder.ts';
import type { Json } from './fileSet.ts';

/** Sizes of a decoder's blocks where all are the same. */
export interface UniformSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly neurons: number;
}

/** The sizes of all blocks; null where they differ. */
export function uniformSizes({ blocks }: Decoder): UniformSizes | null {
  const [first] = blocks.map(sizesOf);
  const same = blocks.map(sizesOf).every((sizes) => differing(first, sizes) === null);
  return same ? first : null;
}

/** Passes after which blocks may differ, by the size they change. */
const cuttingPasses: Record<keyof UniformSizes, readonly string[]> = {
  heads: ['prune-heads'],
  kvHeads: ['prune-heads'],
  neurons: ['prune-neurons'],
};

/**
 * The sizes of all blocks for a format that knows only one; otherwise `usage`, naming the block that
 * differs and the pass of the recipe that cut it. `wanted` are the sizes that the format asks for.
 */
export function requireUniform(
  { blocks }: Decoder,
  format: string,
  passes: readonly string[],
  wanted: readonly (keyof UniformSizes)[] = ['heads', 'kvHeads', 'neurons'],
): UniformSizes {
  const first = sizesOf(blocks[0]);
  for (const block of blocks) {
    const sizes = sizesOf(block);
    const field = differing(first, sizes, wanted);
    if (field === null) continue;
    const pass = cuttingPasses[field].find((name) => passes.includes(name));
    const since = pass === undefined ? '' : ` since the pass ${pass}`;
    const found = `block ${block.index} has ${sizes[field]} ${words[field]}, block 0 has ${first[field]}`;
    throw new LatheError(
      'usage',
      `${format} wants all blocks of one size, and they differ${since}: ${found}`,
      { value: found },
    );
  }
  return first;
}

const words: Record<keyof UniformSizes, string> = {
  heads: 'heads',
  kvHeads: 'key-value heads',
  neurons: 'neurons',
};

function differing(
  a: UniformSizes,
  b: UniformSizes,
  fields: readonly (keyof UniformSizes)[] = ['heads', 'kvHeads', 'neurons'],
): keyof UniformSizes | null {
  return fields.find((field) => a[field] !== b[field]) ?? null;
}

const sizesOf = ({ attention: { heads, kvHeads }, neurons }: Decoder['blocks'][number]) => ({
  heads,
  kvHeads,
  neurons,
});

/** config.json with the sizes that the graph has; those in which blocks differ stay as they were. */
export function sizedConfig(config: Json, decoder: Decoder): Record<string, unknown> {
  const sizes = uniformSizes(decoder);
  return {
    ...config,
    hidden_size: decoder.hiddenSize,
    vocab_size: decoder.vocabularySize,
    num_hidden_layers: decoder.blocks.length,
    ...(sizes && {
      num_attention_heads: sizes.heads,
      num_key_value_heads: sizes.kvHeads,
      intermediate_size: sizes.neurons,
    }),
  };
}
