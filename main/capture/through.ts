import type { Square } from '../../preload/contract/inspect/capture.ts';
import { attentionFlow, checkFlowSize } from '../numeric/attention/maxFlow.ts';
import { attentionRollout, withResidual } from '../numeric/attention/rollout.ts';
import { nextTurn, type Run } from '../numeric/linearAlgebra/multiply.ts';
import type { Captured } from './captured.ts';
import type { Patterns } from './patterns.ts';

/** Attention followed from the last layer back to the first. */
export async function attentionThrough(
  captured: Captured,
  patterns: Patterns,
  method: 'rollout' | 'flow',
  run: Run = {},
): Promise<Square> {
  const tokens = captured.ids.length;
  if (method === 'flow') checkFlowSize(tokens);
  async function* means(): AsyncGenerator<Float32Array> {
    for (const layer of captured.layers.keys()) {
      await nextTurn(run.signal);
      yield await patterns.square(captured, layer, 'mean');
    }
  }
  if (method === 'rollout') {
    return { tokens, data: Float32Array.from(await attentionRollout(means(), tokens, run)) };
  }
  const capacities: Float64Array[] = [];
  for await (const mean of means()) capacities.push(withResidual(mean, tokens));
  return { tokens, data: Float32Array.from(await attentionFlow(capacities, tokens, run.signal)) };
}
