import { describe, expect, test } from 'vitest';
import { withAttentionMask } from '../../main/export/attentionMask.ts';
import { checkModel } from '../../main/onnx/check.ts';
import { floatsOf, GraphRun } from '../architectures/graphRun.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';

const { model } = tinyDecoder({ heads: 4, keyValueHeads: 2, headDim: 16, tied: true });
const exported = withAttentionMask(model);

const portsOf = (ports: typeof model.graph.inputs) =>
  ports.map(({ name, type }) => [name, type?.kind === 'tensor' ? type.shape : type?.kind]);

describe('a decoder with the ports of Hugging Face’s exporters', () => {
  test('takes ids, mask and cache, and gives logits of all positions and the cache', () => {
    checkModel(exported, 'the export');
    const cache = ['batch_size', 2, 'past_sequence_length', 16];
    expect(portsOf(exported.graph.inputs)).toEqual([
      ['input_ids', ['batch_size', 'sequence_length']],
      ['attention_mask', ['batch_size', 'total_sequence_length']],
      ...[0, 1].flatMap((layer) => [
        [`past_key_values.${layer}.key`, cache],
        [`past_key_values.${layer}.value`, cache],
      ]),
    ]);
    expect(portsOf(exported.graph.outputs)[0]).toEqual([
      'logits',
      ['batch_size', 'sequence_length', 40],
    ]);
    expect(exported.graph.outputs.map(({ name }) => name)).not.toContain('fetch_guard');
  });

  test.each([1, 2])(
    'gives the same logits and cache, bit for bit, in a batch of %i',
    async (batch) => {
      const [ours, theirs] = [await GraphRun.of(model, batch), await GraphRun.of(exported, batch)];
      const rows = [
        [3, 1, 4, 1, 5],
        [9, 2, 6, 5, 3],
      ].slice(0, batch);
      // The runtime reads several tokens behind others in one row only.
      const more = batch === 1 ? [rows.map(([, ...rest]) => rest)] : [];
      for (const step of [rows, rows.map(([first]) => [first]), ...more]) {
        const [expected, found] = [await ours.step(step), await theirs.step(step)];
        expect(found['logits'].dims).toEqual([batch, step[0].length, 40]);
        for (const name of Object.keys(expected)) {
          expect({ name, data: floatsOf(found[name]) }).toEqual({
            name,
            data: floatsOf(expected[name]),
          });
        }
      }
      await ours.close();
      await theirs.close();
    },
  );
});
