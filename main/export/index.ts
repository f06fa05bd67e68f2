import type { ExportFormat } from '../../preload/contract/export.ts';
import type { ExportFile, ExportInput } from './fileSet.ts';
import { genaiFiles } from './genai.ts';
import { safetensorsFiles } from './safetensors.ts';
import { transformersJsFiles } from './transformersJs.ts';

/**
 * The files of an export that are computed. What the format cannot express is refused before any is
 * written, but for weights that overflow, which show as they are read.
 */
export const exportFiles: Record<
  Exclude<ExportFormat, 'lathe'>,
  (input: ExportInput) => ExportFile[]
> = {
  'transformers-js': transformersJsFiles,
  'onnxruntime-genai': genaiFiles,
  'safetensors-f16': safetensorsFiles,
};
