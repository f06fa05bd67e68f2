import { describe, expect, test } from 'vitest';
import { fromBfloat16Bits, toBfloat16Bits } from '../../main/numeric/float16.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited, weightBytes } from '../../main/passes/edit.ts';
import { floatTensor, isFloatLinear, readFloats } from '../../main/passes/linear.ts';
import { passContext } from './passContext.ts';
import { relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

describe.each(['float16', 'bfloat16'] as const)('weights stored as %s', (type) => {
  test.each([true, false])(
    'take half the bytes and give nearly the same (tied: %s)',
    async (tied) => {
      const input = tinyDecoder({ tied, keyValueHeads: 2, attentionBias: true });
      const { model, notes } = await runStep(input, { pass: 'convert-float', type }, passContext());
      const { embedding, linears } = readDecoder(model);
      expect(embedding.weight?.dataType).toBe(type);
      expect(linears.map(({ weight }) => weight?.dataType)).toEqual(linears.map(() => type));
      expect(weightBytes(model)).toBeLessThan(0.7 * weightBytes(input.model));
      expect(notes).toEqual([]);
      const [was, is] = [await runDecoder(input.model), await runDecoder(model)];
      expect(relativeDistance(was.logits, is.logits)).toBeLessThan(
        type === 'float16' ? 2e-3 : 2e-2,
      );
    },
  );
});

test('bfloat16 weights are rounded to the nearest', async () => {
  const input = tinyDecoder();
  const { model } = await runStep(
    input,
    { pass: 'convert-float', type: 'bfloat16' },
    passContext(),
  );
  const values = (of: typeof model) => {
    const { weight } = readDecoder(of).head;
    if (weight === null) throw new Error('no floats');
    return readFloats(weight);
  };
  expect(values(model)).toEqual(
    values(input.model).map((value) => fromBfloat16Bits(toBfloat16Bits(value))),
  );
});

/** One layer with values beyond float16, one with values below it. */
function extreme() {
  const input = tinyDecoder();
  const [large, small] = readDecoder(input.model).linears.filter(isFloatLinear);
  const changed = (linear: typeof large, value: number) => {
    const values = readFloats(linear.weight).slice();
    values.fill(value, 0, 3);
    return floatTensor(linear.weight, values, linear.weight.dims);
  };
  const initializers = [changed(large, 65_520), changed(small, 2 ** -26)];
  return { ...input, model: edited(input.model, { initializers }) };
}

test('values beyond float16 keep their tensor in float32, values below it are counted', async () => {
  const { model, layers, notes } = await runStep(
    extreme(),
    { pass: 'convert-float' },
    passContext(),
  );
  const [large, small] = readDecoder(model).linears;
  expect([large.weight?.dataType, small.weight?.dataType]).toEqual(['float32', 'float16']);
  expect(notes).toEqual([
    'blocks.0.attn.qkv: kept in float32: 3 values are beyond float16',
    'blocks.0.attn.o: 3 values became 0',
  ]);
  expect(layers.map(({ bits }) => bits).slice(0, 3)).toEqual([16, 32, 16]);
});

test('values beyond float16 are refused where that is asked for', async () => {
  const refused = runStep(extreme(), { pass: 'convert-float', overflow: 'refuse' }, passContext());
  await expect(refused).rejects.toMatchObject({ code: 'usage', data: { value: '3' } });
});

test('a model without float32 matrices is refused', async () => {
  const refused = runStep(tinyDecoder({ dtype: 'F16' }), { pass: 'convert-float' }, passContext());
  await expect(refused).rejects.toMatchObject({ code: 'usage' });
});
