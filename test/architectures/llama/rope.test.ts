import { describe, expect, test } from 'vitest';
import { readLlamaConfig } from '../../../main/architectures/llama/config.ts';
import {
  inverseFrequencies,
  padTables,
  ropeTables,
  type Rope,
} from '../../../main/architectures/llama/rope.ts';
import { tinyLlamaConfig } from '../../models/tinyLlama.ts';

const file = 'config.json';
const read = (fields: Record<string, unknown>): Rope =>
  readLlamaConfig(tinyLlamaConfig({ fields }), file).rope;

const llama3 = {
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};
const llama3Read = {
  kind: 'llama3',
  theta: 500_000,
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalContext: 8192,
};

describe('reads every way in which files write it', () => {
  test.each([
    [{}, { kind: 'default', theta: 10_000 }],
    [{ rope_theta: 5 }, { kind: 'default', theta: 5 }],
    [{ rope_scaling: { rope_type: 'default' } }, { kind: 'default', theta: 10_000 }],
    [{ rope_scaling: { type: 'linear', factor: 2 } }, { kind: 'linear', theta: 10_000, factor: 2 }],
    [
      { rope_scaling: { rope_type: 'linear', type: 'x', factor: 2 } },
      { kind: 'linear', theta: 10_000, factor: 2 },
    ],
    [{ rope_theta: 500_000, rope_scaling: { rope_type: 'llama3', ...llama3 } }, llama3Read],
    [
      {
        rope_theta: undefined,
        rope_parameters: { rope_type: 'llama3', rope_theta: 500_000, ...llama3 },
      },
      llama3Read,
    ],
    [
      { rope_theta: 7, rope_parameters: { rope_theta: 5 } },
      { kind: 'default', theta: 5 },
    ],
    [
      {
        rope_scaling: { type: 'yarn' },
        rope_parameters: { rope_type: 'linear', factor: 3, rope_theta: 9 },
      },
      { kind: 'linear', theta: 9, factor: 3 },
    ],
  ])('%j', (fields, rope) => {
    expect(read(fields)).toEqual(rope);
  });
});

describe('refuses, naming the field', () => {
  const kinds = 'RoPE scaling must be default, linear or llama3';
  test.each([
    [{ rope_scaling: { type: 'yarn', factor: 2 } }, `rope_scaling.type: ${kinds}: "yarn"`],
    [
      { rope_scaling: { rope_type: 'dynamic', factor: 2 } },
      `rope_scaling.rope_type: ${kinds}: "dynamic"`,
    ],
    [
      { rope_parameters: { rope_type: 'longrope' } },
      `rope_parameters.rope_type: ${kinds}: "longrope"`,
    ],
    [
      { rope_scaling: { type: 'linear' } },
      'rope_scaling.factor: Invalid input: expected number, received undefined: nothing',
    ],
    [
      { rope_scaling: { type: 'linear', factor: 0 } },
      'rope_scaling.factor: Too small: expected number to be >=1: 0',
    ],
    [
      { rope_scaling: { rope_type: 'llama3', ...llama3, low_freq_factor: 'low' } },
      'rope_scaling.low_freq_factor: Invalid input: expected number, received string: "low"',
    ],
    [
      { rope_scaling: { rope_type: 'llama3', ...llama3, high_freq_factor: 1 } },
      'rope_scaling.high_freq_factor: must be above low_freq_factor (1): 1',
    ],
    [
      { rope_parameters: { rope_theta: 0 } },
      'rope_parameters.rope_theta: Too small: expected number to be >0: 0',
    ],
    [
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      'rope_parameters.partial_rotary_factor: only 1 is supported: 0.5',
    ],
    [
      { rope_parameters: { full_attention: { rope_type: 'yarn' } } },
      'rope_parameters.full_attention: Invalid input: {"rope_type":"yarn"}',
    ],
    [
      { rope_scaling: 'linear' },
      'rope_scaling: Invalid input: expected object, received string: "linear"',
    ],
  ])('%j', (fields, message) => {
    expect(() => read(fields)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: `${message} (${file})` }),
    );
  });
});

describe('frequencies', () => {
  test('fall from 1 by the power of theta', () => {
    expect([...inverseFrequencies({ kind: 'default', theta: 10_000 }, 8)]).toEqual([
      1,
      expect.closeTo(0.1, 15),
      expect.closeTo(0.01, 15),
      expect.closeTo(0.001, 15),
    ]);
  });

  test('are divided by the factor where scaling is linear', () => {
    expect(inverseFrequencies({ kind: 'linear', theta: 100, factor: 4 }, 4)).toEqual(
      Float64Array.of(0.25, 0.025),
    );
  });

  test('of Llama 3.1: fast ones kept, slow ones divided, a ramp between that meets both', () => {
    const rope = read({ rope_theta: 500_000, rope_scaling: { rope_type: 'llama3', ...llama3 } });
    const plain = inverseFrequencies({ kind: 'default', theta: 500_000 }, 128);
    const ratios = inverseFrequencies(rope, 128).map((frequency, pair) => frequency / plain[pair]);
    // Four turns within 8,192 positions end before pair 29, one turn at pair 35.
    expect([...ratios.subarray(0, 29)].every((ratio) => ratio === 1)).toBe(true);
    expect([...ratios.subarray(35)].every((ratio) => ratio === 1 / 8)).toBe(true);
    const ramp = [...ratios.subarray(28, 36)];
    expect(ramp.toSorted((a, b) => b - a)).toEqual(ramp);
    expect(ratios[32]).toBeCloseTo(
      1 / 8 + (((8192 * plain[32]) / (2 * Math.PI) - 1) / 3) * (7 / 8),
      12,
    );
  });
});

test('tables hold cosine and sine of position times frequency, and rest where a head is padded', () => {
  const { cos, sin } = padTables(ropeTables({ kind: 'default', theta: 4 }, 4, 3), 2, 3);
  const angles = [0, 0, 0, 1, 0.5, 0, 2, 1, 0];
  expect(cos).toEqual(Float32Array.from(angles, Math.cos));
  expect(sin).toEqual(Float32Array.from(angles, Math.sin));
});
