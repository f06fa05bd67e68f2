import type { Direct, Lens } from '../../preload/contract/index.ts';

/** The most probable token of a row and position. */
export const topOf = (lens: Lens, row: number, position: number): string => {
  const id = lens.ids[(row * lens.positions + position) * lens.top];
  return lens.texts[String(id)] ?? '';
};

/** The token that the whole model finds most probable behind a position. */
export const finalTopOf = (lens: Lens, position: number): string =>
  topOf(lens, lens.rows - 1, position);

/** Probability of the most probable token, [rows, positions]. */
export const cellTops = ({ rows, positions, top, probabilities }: Lens): Float32Array =>
  Float32Array.from({ length: rows * positions }, (_, cell) => probabilities[cell * top] ?? 0);

/** One position over the layers, the embedding first. */
export const columnOf = (
  { rows, positions }: Lens,
  values: Float32Array,
  position: number,
): number[] => Array.from({ length: rows }, (_, row) => values[row * positions + position] ?? 0);

/** A part of a logit. */
export interface Contribution {
  readonly label: string;
  readonly value: number;
}

/** What each layer's attention and MLP add to a logit, in the order they add it. */
export const contributionsOf = ({ embedding, layers, rest }: Direct): Contribution[] => [
  { label: 'embedding', value: embedding },
  ...layers.flatMap(({ heads, mlp }, layer) => [
    { label: `${layer} attention`, value: heads.reduce((sum, value) => sum + value, 0) },
    { label: `${layer} mlp`, value: mlp },
  ]),
  { label: 'biases', value: rest },
];
