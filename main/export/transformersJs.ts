import { readDecoder } from '../passes/decoder.ts';
import { withAttentionMask } from './attentionMask.ts';
import { dtypeOf, dtypeSuffixes } from './dtype.ts';
import { hasExternalData, type ExportFile, type ExportInput } from './fileSet.ts';
import { sidecars } from './sidecars.ts';
import { sizedConfig } from './sizes.ts';

/**
 * A folder that transformers.js loads without options: `onnx/model<suffix>.onnx` with its weights in
 * `.onnx_data`, and a config.json that says which file and where the weights are. Blocks may differ
 * in size: transformers.js 4 takes the shapes of the cache from the graph.
 */
export function transformersJsFiles(input: ExportInput): ExportFile[] {
  const decoder = readDecoder(input.model);
  const dtype = dtypeOf(decoder);
  const name = `model${dtypeSuffixes[dtype]}.onnx`;
  const config = {
    ...sizedConfig(input.config, decoder),
    'transformers.js_config': {
      dtype,
      ...(hasExternalData(input.model) && { use_external_data_format: { [name]: true } }),
    },
  };
  const model = withAttentionMask(input.model);
  return [
    { kind: 'json', path: 'config.json', content: config },
    ...sidecars(input),
    { kind: 'graph', path: `onnx/${name}`, ending: '_data', model },
  ];
}
