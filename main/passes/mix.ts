import { LatheError } from '../../preload/contract/errors.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import type { Model, Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Block, Decoder, Norm } from './decoder.ts';
import type { Linear } from './linear.ts';

/** Name of the embedding among the parts of a decoder, as reports of passes call it. */
export const EMBEDDING = 'embed';

/** Parts of a variant that are another's than those of its base, to be put back together. */
export interface MixUnit {
  /** Index of the block; null for the embedding and the output matrix. */
  readonly block: number | null;
  /** Names of linear layers, or `embed`. */
  readonly layers: readonly string[];
  /** Norms that belong with them: `blocks.3.ln1`. */
  readonly norms: readonly string[];
}

/**
 * The parts in which a variant differs from its base, by what is stored, in the order they run.
 * A layer is a unit of its own, unless norms differ too: then scales have been moved from one part
 * into another, and the halves of a block only fit as a whole. `usage` where sizes differ.
 */
export async function differingUnits(
  base: Decoder,
  variant: Decoder,
  signal?: AbortSignal,
): Promise<MixUnit[]> {
  refuseOtherSizes(base, variant);
  const others = normsOf(base);
  const changed = new Set(
    [...normsOf(variant)].flatMap(([name, norm]) =>
      isSame([norm.weight], [others.get(name)?.weight]) ? [] : [name],
    ),
  );
  const differing = new Set<string>();
  for (const [index, linear] of variant.linears.entries()) {
    await nextTurn(signal);
    const before = base.linears[index];
    const same =
      operatorsOf(linear) === operatorsOf(before) &&
      isSame(constantsOf(variant.model, linear.nodes), constantsOf(base.model, before.nodes));
    if (!same) differing.add(linear.name);
  }
  const isRescaled = variant.blocks.some(({ norms: { attention, mlp } }) =>
    [attention, mlp].some(({ output }) => changed.has(output)),
  );
  const unitOf = (linears: readonly Linear[], norm: Norm | null): MixUnit[] => {
    const layers = linears.map(({ name }) => name).filter((name) => differing.has(name));
    const norms = norm !== null && changed.has(norm.output) ? [norm.output] : [];
    if (layers.length + norms.length === 0) return [];
    return [{ block: linears[0].block, layers: layers.length === 0 ? norms : layers, norms }];
  };
  const ofBlock = ({ linears: { qkv, o, gateUp, down }, norms }: Block): MixUnit[] =>
    isRescaled
      ? [...unitOf([qkv, o], norms.attention), ...unitOf([gateUp, down], norms.mlp)]
      : [qkv, o, gateUp, down].flatMap((linear) => unitOf([linear], null));
  const tables = [variant, base].map(({ model, embedding }) => constantsOf(model, embedding.nodes));
  const embedding = isSame(tables[0], tables[1])
    ? []
    : [{ block: null, layers: [EMBEDDING], norms: [] }];
  return [
    ...embedding,
    ...variant.blocks.flatMap(ofBlock),
    ...unitOf([variant.head], variant.finalNorm),
  ];
}

/** All norms of a decoder by the values they give. */
export const normsOf = ({ blocks, finalNorm }: Decoder): Map<string, Norm> =>
  new Map(
    [...blocks.flatMap(({ norms: { attention, mlp } }) => [attention, mlp]), finalNorm].map(
      (norm) => [norm.output, norm],
    ),
  );

const operatorsOf = ({ nodes }: Linear): string => nodes.map(({ opType }) => opType).join();

/** The constants that nodes read, in the order they do. */
export function constantsOf({ graph }: Model, nodes: readonly Node[]): Tensor[] {
  return [...new Set(nodes.flatMap(({ inputs }) => inputs))].flatMap(
    (name) => graph.initializers.get(name) ?? [],
  );
}

/** Whether constants hold the same, bit by bit. */
function isSame(some: readonly Tensor[], others: readonly (Tensor | undefined)[]): boolean {
  return (
    some.length === others.length &&
    some.every((tensor, at) => {
      const other = others[at];
      return (
        other !== undefined &&
        tensor.dataType === other.dataType &&
        tensor.dims.join() === other.dims.join() &&
        Buffer.compare(tensor.bytes.read(), other.bytes.read()) === 0
      );
    })
  );
}

/** A layer fits into another model only where all sizes are the same. */
function refuseOtherSizes(base: Decoder, variant: Decoder): void {
  const [before, after] = [sizesOf(base), sizesOf(variant)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(name) === after.get(name)) continue;
    const [was, is] = [before, after].map((sizes) => sizes.get(name) ?? 'missing');
    throw new LatheError(
      'usage',
      `layers of the base can be put back only where both models have the same sizes: ${name} is ${was} in the base and ${is} in the variant`,
      { value: name, next: ['choose-model'] },
    );
  }
}

function sizesOf(decoder: Decoder): Map<string, string> {
  const { hiddenSize, vocabularySize, blocks, linears } = decoder;
  return new Map([
    ['the number of blocks', String(blocks.length)],
    ['the embedding', `${vocabularySize} × ${hiddenSize}`],
    ...blocks.map(({ index, attention: { heads, kvHeads, headDim } }): [string, string] => [
      `blocks.${index}.attn`,
      `${heads} heads of ${headDim} over ${kvHeads}`,
    ]),
    ...linears.map(({ name, rows, columns }): [string, string] => [name, `${rows} × ${columns}`]),
  ]);
}
