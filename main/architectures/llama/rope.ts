import * as z from 'zod';
import { invalidConfig, parseConfig } from '../config.ts';

/**
 * How positions turn queries and keys (rotary position embedding, Su et al. 2021), with the scaling
 * of frequencies for longer contexts.
 */
export type Rope =
  | { readonly kind: 'default'; readonly theta: number }
  /** Positions divided by `factor` (Chen et al. 2023, position interpolation). */
  | { readonly kind: 'linear'; readonly theta: number; readonly factor: number }
  /** Low frequencies divided by `factor`, high ones kept, a ramp between (Llama 3.1). */
  | {
      readonly kind: 'llama3';
      readonly theta: number;
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    };

const theta = z.number().positive().max(1e15);
const factor = z.number().min(1).max(1e6);

const wholeHead = z.literal(1, 'only 1 is supported');

/**
 * `rope_scaling` of older config.json files, `rope_parameters` of newer ones; read by kind below.
 * An object inside would be one set for each kind of layer, which this family does not have.
 */
const parameters = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: theta.optional(),
    partial_rotary_factor: wholeHead.optional(),
  })
  .catchall(z.union([z.number(), z.string(), z.boolean(), z.null(), z.array(z.number())]));

/** The fields of a config.json that concern rotary embedding. */
export const ropeFields = {
  rope_theta: theta.nullish(),
  rope_scaling: parameters.nullish(),
  rope_parameters: parameters.nullish(),
  partial_rotary_factor: wholeHead.nullish(),
};

const linear = z.object({ factor });
const llama3 = z.object({
  factor,
  low_freq_factor: z.number().positive().max(1e6),
  high_freq_factor: z.number().positive().max(1e6),
  original_max_position_embeddings: z.int().min(1).max(16_777_216),
});

/** The rotary embedding that a config.json asks for; a kind that is not known is `config_invalid`. */
export function readRope(config: z.output<z.ZodObject<typeof ropeFields>>, file: string): Rope {
  const field = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const given = config[field] ?? {};
  const base = given.rope_theta ?? config.rope_theta ?? 10_000;
  const kind = given.rope_type ?? given.type ?? 'default';
  switch (kind) {
    case 'default':
      return { kind, theta: base };
    case 'linear':
      return { kind, theta: base, factor: parseConfig(linear, given, file, [field]).factor };
    case 'llama3': {
      const scaling = parseConfig(llama3, given, file, [field]);
      if (scaling.low_freq_factor >= scaling.high_freq_factor) {
        const message = `must be above low_freq_factor (${scaling.low_freq_factor})`;
        throw invalidConfig(file, `${field}.high_freq_factor`, message, scaling.high_freq_factor);
      }
      return {
        kind,
        theta: base,
        factor: scaling.factor,
        lowFrequencyFactor: scaling.low_freq_factor,
        highFrequencyFactor: scaling.high_freq_factor,
        originalContext: scaling.original_max_position_embeddings,
      };
    }
    default: {
      const name = given.rope_type === undefined ? 'type' : 'rope_type';
      const message = 'RoPE scaling must be default, linear or llama3';
      throw invalidConfig(file, `${field}.${name}`, message, kind);
    }
  }
}

/** Angle by which each pair of a head's elements turns per position, [headDim / 2]. */
export function inverseFrequencies(rope: Rope, headDim: number): Float64Array {
  const plain = Float64Array.from(
    { length: headDim / 2 },
    (_, pair) => rope.theta ** ((-2 * pair) / headDim),
  );
  switch (rope.kind) {
    case 'default':
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / rope.factor);
    case 'llama3':
      return plain.map((frequency) => scaleLlama3(frequency, rope));
  }
}

function scaleLlama3(frequency: number, rope: Extract<Rope, { kind: 'llama3' }>): number {
  const { factor: divisor, lowFrequencyFactor: low, highFrequencyFactor: high } = rope;
  // Full turns within the context that the model was first trained on.
  const turns = (rope.originalContext * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / divisor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return ((1 - kept) * frequency) / divisor + kept * frequency;
}

/** Cosines and sines of every position's angles, both [positions, pairs]. */
export interface RopeTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Tables for heads that are padded to `pairs` pairs: those added turn by nothing. */
export function padTables({ cos, sin }: RopeTables, from: number, pairs: number): RopeTables {
  if (from === pairs) return { cos, sin };
  const widen = (table: Float32Array, filling: number): Float32Array => {
    const result = new Float32Array((table.length / from) * pairs).fill(filling);
    for (let row = 0; row * from < table.length; row++) {
      result.set(table.subarray(row * from, (row + 1) * from), row * pairs);
    }
    return result;
  };
  return { cos: widen(cos, 1), sin: widen(sin, 0) };
}

/** The tables both forms of the graph look up, [positions, headDim / 2], computed in float64. */
export function ropeTables(rope: Rope, headDim: number, positions: number): RopeTables {
  const pairs = headDim / 2;
  const frequencies = inverseFrequencies(rope, headDim);
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < frequencies.length; pair++) {
      const angle = position * frequencies[pair];
      cos[position * pairs + pair] = Math.cos(angle);
      sin[position * pairs + pair] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
