import type { GraphForm } from '../../../preload/contract/models.ts';
import type { Architecture } from '../architecture.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { LlamaConfig } from './config.ts';
import { buildLlama } from './graph.ts';
import { paddedHeadDim } from './headPadding.ts';
import { requiredTensors } from './tensors.ts';

/** Llama as transformers' LlamaForCausalLM defines it, and its relatives: one graph, other numbers. */
export function llamaArchitecture(modelType: string, config: LlamaConfig): Architecture {
  const required = requiredTensors(config);
  return {
    modelType,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
    layers: config.layers,
    parameters: required.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    requiredTensors: () => required,
    build: (tensors, form) => buildLlama(config, tensors, form),
    hookPoints: (form) => hookPoints(config.layers, form),
    cacheShape: (form, context) => {
      const headDim = form === 'fused' ? paddedHeadDim(config) : config.headDim;
      return [1, config.keyValueHeads, context, headDim];
    },
  };
}

/** Values of a block in the order they are computed; the fused form has no names inside attention. */
const blockHooks: Record<GraphForm, readonly string[]> = {
  plain: [
    'resid_pre',
    'ln1',
    'attn.q',
    'attn.k',
    'attn.v',
    'attn.rot_q',
    'attn.rot_k',
    'attn.scores',
    'attn.pattern',
    'attn.z',
    'attn_out',
    'resid_mid',
    'ln2',
    'mlp.pre',
    'mlp.pre_linear',
    'mlp.post',
    'mlp_out',
    'resid_post',
  ],
  fused: [
    'ln1',
    'attn_out',
    'resid_mid',
    'ln2',
    'mlp.pre',
    'mlp.pre_linear',
    'mlp.post',
    'mlp_out',
    'resid_post',
  ],
};

function hookPoints(layers: number, form: GraphForm): string[] {
  const blocks = Array.from({ length: layers }, (_, layer) =>
    blockHooks[form].map((name) => `blocks.${layer}.${name}`),
  );
  return ['embed', ...blocks.flat(), 'ln_final', 'logits'];
}
