import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { TensorFacts } from '../../../preload/contract/models.ts';
import { signatureOf, type Signature } from '../../inference/signature.ts';
import { graphNameIn, modelFiles } from '../../library/modelFiles.ts';
import { checkModel } from '../../onnx/check.ts';
import { loadModel, type LoadedModel } from '../../onnx/load.ts';
import type { Model, ValueInfo } from '../../onnx/model.ts';
import { countWeights } from './graphWeights.ts';
import type { Inspection } from './contract.ts';

/** Longest context assumed where neither config.json nor graph says one. */
const USUAL_CONTEXT = 2048;

/** As for models built from safetensors: longer texts take more memory than machines have. */
const LONGEST_CONTEXT = 131_072;

/** The graph file of a model folder that brings its own; null where its weights are safetensors. */
export function ownGraph(folder: string): string | null {
  const name = graphNameIn(modelFiles(folder));
  return name === null ? null : join(folder, name);
}

/**
 * Reads a graph and checks it before any runtime sees it: its structure, and that all of its
 * weights are in files that belong to the model, so that they were verified with it.
 */
export function openGraph(folder: string, file: string): LoadedModel {
  const model = loadModel(file);
  try {
    checkModel(model, file);
    const root = realpathSync(folder);
    const known = new Set(modelFiles(folder).map(({ name }) => join(root, name)));
    const [, ...external] = model.files;
    const stray = external.find((path) => !known.has(path));
    if (stray !== undefined) {
      throw new LatheError(
        'graph_invalid',
        `weights must lie beside the graph under its name and .data or _data: ${stray}`,
        { file, value: stray },
      );
    }
    return model;
  } catch (error) {
    model.close();
    throw error;
  }
}

type GraphInspection = Omit<Inspection, 'bytes' | 'licence' | 'card' | 'chatTemplate' | 'config'>;

/** What a decoder graph says about itself; what only memory estimates need comes from config.json. */
export function inspectGraph(
  model: Model,
  file: string,
  config: Readonly<Record<string, unknown>>,
): GraphInspection {
  const signature = decoderSignature(model, file);
  const { parameters, precision, bytes } = countWeights(model);
  // Layers may differ, once heads were cut out of some of them.
  const perToken = signature.cache.reduce((sum, port) => sum + port.kvHeads * port.headDim, 0);
  const [{ kvHeads, headDim }] = signature.cache;
  const hidden = numberIn(config, 'hidden_size') ?? kvHeads * headDim;
  return {
    architecture: typeof config['model_type'] === 'string' ? config['model_type'] : 'onnx',
    parameters,
    precision,
    contextLength: contextLengthOf(model, config),
    vocabularySize: signature.vocabularySize,
    sizes: {
      cachePerToken: perToken,
      hidden,
      inner: numberIn(config, 'intermediate_size') ?? 4 * hidden,
      heads: numberIn(config, 'num_attention_heads') ?? kvHeads,
      weightBytes: bytes,
    },
  };
}

/** Longest text: what config.json says, as far as the graph's table of angles goes. */
export function contextLengthOf(
  { graph }: Model,
  config: Readonly<Record<string, unknown>>,
): number {
  const attention = graph.nodes.find(({ opType }) => opType === 'GroupQueryAttention');
  const table = graph.initializers.get(attention?.inputs[7] ?? '')?.dims[0];
  const stated = numberIn(config, 'max_position_embeddings');
  return Math.min(stated ?? table ?? USUAL_CONTEXT, table ?? LONGEST_CONTEXT, LONGEST_CONTEXT);
}

/** The constants of a graph, in their order. */
export function graphTensors({ graph }: Model, file: string): TensorFacts[] {
  return [...graph.initializers.values()].map(({ name, dataType, dims, bytes }) => ({
    name,
    dataType,
    shape: [...dims],
    bytes: bytes.length,
    file,
  }));
}

/** Inner values with names that everyone in the field reads. */
const hookName = /^(?:embed|ln_final|logits|blocks\.\d+\.[\w.]+)$/;

/** The values of a graph that have the name of a hook point. */
export function graphHookPoints({ graph }: Model): string[] {
  return graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => hookName.test(name));
}

function decoderSignature({ graph }: Model, file: string): Signature {
  // Before IR version 4 constants were listed among the inputs.
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return signatureOf(file, inputs.map(portOf), graph.outputs.map(portOf));
}

function portOf({ name, type }: ValueInfo) {
  if (type?.kind !== 'tensor') return { name, dataType: 'sequence', shape: [] };
  return { name, dataType: type.dataType, shape: (type.shape ?? []).map((size) => size ?? '?') };
}

/** A whole number, or the largest where there is one per block. */
function numberIn(config: Readonly<Record<string, unknown>>, field: string): number | undefined {
  const given = config[field];
  const values = (Array.isArray(given) ? given : [given]).filter(
    (value): value is number => Number.isInteger(value) && Number(value) > 0,
  );
  return values.length === 0 ? undefined : Math.max(...values);
}
