import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCalibration } from '../../../main/engine/calibration/calibration.ts';
import { checkSequences, chooseSequences } from '../../../main/engine/calibration/sequences.ts';
import { tapped } from '../../../main/passes/tapped.ts';
import { calibrationSets, calibrationText } from '../../../main/engine/calibration/text.ts';
import { resourcesPath } from '../../../main/library/resources.ts';
import { readDecoder } from '../../../main/passes/decoder.ts';
import { blockModel, headModel } from '../../../main/passes/subgraphs.ts';
import type { Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import type { Tokenizer } from '../../../main/tokenizer/tokenizer.ts';
import { place, randomSequences } from '../../passes/calibrated.ts';
import { relativeDistance } from '../../passes/runDecoder.ts';
import { tinyDecoder } from '../../passes/tinyDecoder.ts';

const { signal } = new AbortController();

/** One token per character, 1 before a text where that is asked for. */
const tokenizer = (begins: boolean): Tokenizer => ({
  encode: (text, { specials = true } = {}) => [
    ...(begins && specials ? [1] : []),
    ...Array.from(text, (character) => character.codePointAt(0) ?? 0),
  ],
  decode: () => '',
  token: () => ({ text: '', bytes: new Uint8Array() }),
  streamDecoder: () => ({ push: () => '', flush: () => '' }),
  vocabularySize: 0x10ffff,
  endOfText: new Set(),
  beginOfText: begins ? 1 : null,
  chatTemplate: null,
  fallback: () => null,
  templateTokens: {},
});

const text = Array.from({ length: 100 }, (_, i) => String.fromCharCode(200 + i)).join('');

const choose = (seed: number) =>
  chooseSequences(tokenizer(false), text, { sequences: 5, length: 8, seed }).ids;

describe('sequences', () => {
  test('are pieces of the text that do not overlap, each begun as the model expects', () => {
    const options = { sequences: 9, length: 11, seed: 3 };
    const { ids, available } = chooseSequences(tokenizer(true), text, options);
    expect(available).toBe(100);
    expect(ids.map((piece) => [piece[0], piece.length])).toEqual(ids.map(() => [1, 11]));
    const starts = ids.map((piece) => piece[1] - 200);
    expect(new Set(starts.map((start) => start / 10)).size).toBe(9);
    expect(starts.every((start) => start % 10 === 0)).toBe(true);
    for (const piece of ids) {
      expect(piece.slice(1)).toEqual(Array.from({ length: 10 }, (_, i) => piece[1] + i));
    }
  });

  test('are the same for the same seed and others for another', () => {
    expect(choose(1)).toEqual(choose(1));
    expect(choose(1)).not.toEqual(choose(2));
  });

  test('overlap where the text is too short to cut so many, and are refused where it has not one', () => {
    const { ids } = chooseSequences(tokenizer(false), text, { sequences: 40, length: 60, seed: 0 });
    expect(ids).toHaveLength(40);
    expect(() =>
      chooseSequences(tokenizer(true), text, { sequences: 1, length: 102, seed: 0 }),
    ).toThrowError('calibration text is shorter than one sequence of 102 tokens: 100');
  });

  test('beyond the context, or too many to keep, are refused', () => {
    const sizes = { contextLength: 64, hiddenSize: 1024 };
    expect(() => checkSequences({ sequences: 1, length: 65 }, sizes)).toThrowError(/64 tokens: 65/);
    expect(() =>
      checkSequences({ sequences: 4096, length: 512 }, { ...sizes, contextLength: 512 }),
    ).toThrowError(/needs more than 2147483648 bytes/);
  });
});

describe('text', () => {
  const resources = resourcesPath();

  test('comes from a set that ships with Lathe or from a file', () => {
    expect(calibrationSets(resources)).toContain('stories');
    expect(calibrationText('stories', resources).length).toBeGreaterThan(40_000);
    const file = join(mkdtempSync(join(tmpdir(), 'lathe-text-')), 'own.txt');
    writeFileSync(file, 'déjà vu');
    expect(calibrationText(file, resources)).toBe('déjà vu');
  });

  test('that is not there or no UTF-8 is refused', () => {
    expect(() => calibrationText('no-such-set', resources)).toThrowError(
      /\(stories\).*no-such-set/,
    );
    const file = join(mkdtempSync(join(tmpdir(), 'lathe-text-')), 'bytes.txt');
    writeFileSync(file, Uint8Array.of(0x61, 0xff, 0xfe));
    expect(() => calibrationText(file, resources)).toThrowError(/must be UTF-8/);
  });
});

describe.each([
  ['equal heads', {}],
  ['grouped and padded heads', { headDim: 8, keyValueHeads: 2, attentionBias: true }],
])('in a decoder with %s', (_, options) => {
  const { model } = tinyDecoder({ ...options, layers: 3 });
  const sequences = randomSequences(40, 5, 12);
  const calibration = runCalibration(sequences, place, signal);

  test('the walk sees what the whole model sees, block by block and at its end', async () => {
    const linears = readDecoder(model).linears;
    const whole = await collect((visit) =>
      calibration.activations(
        model,
        linears.map(({ input }) => input),
        visit,
      ),
    );
    const walk = await calibration.blocks(model);
    for (const block of [0, 1, 2, null]) {
      const inputs = linears.filter((one) => one.block === block).map(({ input }) => input);
      const part = block === null ? headModel(model) : blockModel(model, block);
      const seen = await collect((visit) => walk.inputs(part, inputs, visit));
      for (const input of inputs) {
        expect(seen.get(input)).toHaveLength(whole.get(input)?.length ?? 0);
        const distance = relativeDistance(
          whole.get(input) ?? new Float32Array(),
          seen.get(input) ?? new Float32Array(),
        );
        expect(distance).toBeLessThan(1e-5);
      }
      if (block !== null) await walk.advance(blockModel(model, block));
    }
    await walk.close();
  });

  test('a trial tells no change for the same constants, and more for more', async () => {
    const [, , gateUp, down] = readDecoder(model).linears;
    const { weight } = gateUp;
    if (weight === null) throw new Error('no floats');
    const values = new Float32Array(weight.bytes.read().slice().buffer);
    const constants = [{ name: weight.name, dims: weight.dims, values }];
    const walk = await calibration.blocks(model);
    const part = blockModel(model, 0);
    const trials = [
      await walk.trial(part, { from: gateUp.input, to: down.output, constants }),
      await calibration.divergence(model, constants),
    ];
    for (const trial of trials) {
      const changes: number[] = [];
      for (const share of [0, 0.01, 0.1]) {
        const changed = values.map((value, i) => value * (i % 2 ? 1 + share : 1));
        changes.push(await trial.change(new Map([[weight.name, changed]])));
      }
      expect(changes[0]).toBeLessThan(1e-12);
      expect(changes[1]).toBeGreaterThan(1e-9);
      expect(changes[2]).toBeGreaterThan(10 * changes[1]);
      await trial.close();
    }
    await walk.close();
  });
});

test('a part of a graph keeps only what its values need', () => {
  const { model } = tinyDecoder();
  const { graph } = tapped(blockModel(model, 0), ['blocks.0.ln1']);
  expect(graph.nodes.map(({ opType }) => opType)).toEqual(['SimplifiedLayerNormalization']);
  expect(graph.inputs.map(({ name }) => name)).toEqual(['blocks.0.resid_pre']);
  expect([...graph.initializers.keys()]).toEqual(['model.layers.0.input_layernorm.weight']);
  expect(() => tapped(model, ['blocks.9.ln1'])).toThrowError(/nothing in the graph gives/);
});

/** All rows of each value, one behind the other. */
async function collect(
  run: (visit: (value: string, rows: Matrix<Float32Array>) => void) => Promise<void>,
): Promise<Map<string, Float32Array>> {
  const parts = new Map<string, number[]>();
  await run((value, { data }) => {
    const list = parts.get(value) ?? [];
    for (const one of data) list.push(one);
    parts.set(value, list);
  });
  return new Map([...parts].map(([value, list]) => [value, Float32Array.from(list)]));
}
