import { addTokens, createHessian, type Hessian } from '../numeric/linearAlgebra/hessian.ts';
import type { Model } from '../onnx/model.ts';
import { walkLayers, type LayerMethod } from './layerWalk.ts';
import type { FloatLinear } from './linear.ts';
import type { PassContext } from './pass.ts';

/** Walks the layers as `walkLayers` does, with the Hessian XᵀX of each layer's inputs. */
export const walkHessians = (
  model: Model,
  linears: readonly FloatLinear[],
  context: PassContext,
  method: Pick<LayerMethod<Hessian>, 'sequential' | 'finish'>,
): ReturnType<typeof walkLayers> =>
  walkLayers<Hessian>(model, linears, context, {
    ...method,
    start: ({ columns }) => createHessian(columns),
    add: (sums, rows) => addTokens(sums, rows, context),
  });
