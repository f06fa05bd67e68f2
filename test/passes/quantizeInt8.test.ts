import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../main/onnx/save.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { calibratedContext } from './calibrated.ts';
import { relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const steps: Record<string, StepInput> = {
  dynamic: { pass: 'quantize-int8-dynamic' },
  'dynamic, one scale': { pass: 'quantize-int8-dynamic', perChannel: false },
  'dynamic, 7 bits': { pass: 'quantize-int8-dynamic', weights: 'int8-reduced' },
  'static by extremes': { pass: 'quantize-int8-static' },
  'static by moving average': { pass: 'quantize-int8-static', method: 'moving-average' },
  'static by percentile': { pass: 'quantize-int8-static', method: 'percentile' },
  'static by entropy': { pass: 'quantize-int8-static', method: 'entropy' },
};

describe.each([
  ['tied', { tied: true }],
  ['with biases and grouped heads', { keyValueHeads: 2, attentionBias: true, mlpBias: true }],
  ['with padded heads', { hiddenSize: 32, intermediateSize: 44, headDim: 8 }],
])('a decoder %s', (_, options) => {
  test.each(Object.entries(steps))('stays close to itself in 8 bits, %s', async (name, step) => {
    const input = tinyDecoder(options);
    const result = await runStep(input, step, calibratedContext());
    const [was, is] = [await runDecoder(input.model), await runDecoder(result.model)];
    const most = /average|entropy/.test(name) ? 0.5 : 0.1;
    expect(relativeDistance(was.logits, is.logits)).toBeLessThan(most);
    const again = await runStep(input, step, calibratedContext());
    expect(encodeModel(again.model)).toEqual(encodeModel(result.model));
    const left = readDecoder(result.model).linears.filter(({ weight }) => weight !== null);
    expect(left.map((linear) => linear.name)).toEqual(['lm_head']);
  });
});

test('weights are unsigned bytes around 128 by default: signed ones would saturate on some processors', async () => {
  const { model } = await runStep(tinyDecoder(), steps['dynamic'], calibratedContext());
  const codes = [...model.graph.initializers.values()].filter(({ name }) =>
    name.endsWith('.codes'),
  );
  expect(new Set(codes.map(({ dataType }) => dataType))).toEqual(new Set(['uint8']));
  const zeros = [...model.graph.initializers.values()].filter(({ name }) =>
    name.endsWith('.zero_point'),
  );
  expect(zeros.map(({ bytes }) => [...bytes.read()])).toEqual(zeros.map(() => [128]));
});

test('smoothing and 8 bits follow each other', async () => {
  const input = tinyDecoder();
  const smooth = await runStep(input, { pass: 'smooth-quant' }, calibratedContext());
  const result = await runStep(smooth, steps['static by extremes'], calibratedContext());
  const [was, is] = [await runDecoder(input.model), await runDecoder(result.model)];
  expect(relativeDistance(was.logits, is.logits)).toBeLessThan(0.1);
});
