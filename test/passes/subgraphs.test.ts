import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../main/onnx/save.ts';
import type { Model } from '../../main/onnx/model.ts';
import { checkModel } from '../../main/onnx/check.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import {
  blockModel,
  embeddingModel,
  FINAL_STREAM,
  headModel,
  residPost,
  residPre,
} from '../../main/passes/subgraphs.ts';
import { worstRelative } from '../architectures/compare.ts';
import { floatsOf, GraphRun } from '../architectures/graphRun.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const prompt = [1, 17, 33, 5, 5, 38, 0];

async function run(model: Model, feeds: Record<string, ort.Tensor>): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(encodeModel(model), { logSeverityLevel: 3 });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs[session.outputNames[0]];
}

const int64 = (values: number[], dims = [values.length]) =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);

describe.each([
  { tied: true, keyValueHeads: 2, dtype: 'F16' as const, attentionBias: true },
  { tied: false, keyValueHeads: 4, dtype: 'F32' as const, mlpBias: true, headDim: 12 },
])('a decoder cut into parts (%o)', (options) => {
  const { model } = tinyDecoder({ ...options, layers: 3 });

  test('gives in a row what the whole gives', async () => {
    const whole = await GraphRun.of(model);
    const expected = floatsOf((await whole.step([prompt]))['logits']);
    await whole.close();
    const length = prompt.length;
    let hidden = await run(embeddingModel(model), { input_ids: int64(prompt, [1, length]) });
    for (let index = 0; index < 3; index++) {
      const block = blockModel(model, index);
      checkModel(block, 'block');
      expect(block.graph.outputs.map(({ name }) => name)).toEqual([residPost(index)]);
      hidden = await run(block, {
        [residPre(index)]: hidden,
        seqlens_k: new ort.Tensor('int32', Int32Array.of(length - 1), [1]),
        total_sequence_length: new ort.Tensor('int32', Int32Array.of(length), []),
      });
    }
    const logits = await run(headModel(model), {
      [FINAL_STREAM]: hidden,
      logits_index: int64(prompt.map((_, i) => i)),
    });
    expect(worstRelative(floatsOf(logits), expected)).toBeLessThan(1e-5);
  });

  test('names all its linear layers, with their sizes', () => {
    const decoder = readDecoder(model);
    expect(decoder.linears.map(({ name, rows, columns }) => [name, rows, columns])).toEqual(
      decoder.linears.map(({ name, weight }) => [name, ...(weight?.dims ?? [])]),
    );
    expect(decoder.linears.slice(0, 4).map(({ name }) => name)).toEqual([
      'blocks.0.attn.qkv',
      'blocks.0.attn.o',
      'blocks.0.mlp.gate_up',
      'blocks.0.mlp.down',
    ]);
    expect(decoder.embedding.tied).toBe(options.tied);
  });
});
