import { expect, it } from 'vitest';
import { probeModel } from '../../main/inference/probeModel.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { encodeModel } from '../../main/onnx/save.ts';

it('is the graph that its comment describes, as main/onnx encodes it', () => {
  const graph = new GraphBuilder({ name: 'probe', opset: 17, irVersion: 8 });
  graph.input('value', 'float32', [1]);
  graph.node('SequenceConstruct', ['value'], { outputs: ['fetch_guard'] });
  graph.node('Add', ['value', 'value'], { outputs: ['sum'] });
  graph.sequenceOutput('fetch_guard', 'float32');
  graph.output('sum', 'float32', [1]);
  const encoded = Buffer.from(encodeModel(graph.finish())).toString('base64');
  expect(Buffer.from(probeModel()).toString('base64')).toBe(encoded);
});
