import type { GraphFacts, GraphForm } from '../../../preload/contract/models.ts';
import { loadModel } from '../../onnx/load.ts';
import type { ValueInfo, ValueType } from '../../onnx/model.ts';
import { saveModel } from '../../onnx/save.ts';
import { openWeights } from '../../formats/weights.ts';
import { cachedGraph, graphFile, graphKey } from '../../library/graphs.ts';
import { readConfig, readConfigFile } from './folder.ts';
import { graphHookPoints, openGraph, ownGraph } from './onnxFolder.ts';
import type { ModelSource } from './source.ts';

/**
 * Counts changes to what main/architectures and main/onnx write: graphs in the cache that another
 * version built are not used any more.
 */
export const builderVersion = '1';

/** The file of a model's graph: from the cache, or built now. `onBuild` is told of the latter. */
export async function graphOf(source: ModelSource, onBuild?: () => void): Promise<string> {
  const own = ownGraph(source.folder);
  if (own !== null) return ownGraphOf(source, own);
  const { bytes, architecture } = readConfig(source.folder);
  const { weights, form } = source;
  const key = graphKey({ config: bytes, weights, form, builder: builderVersion });
  const folder = await cachedGraph(source.graphs, key, (temporary) => {
    onBuild?.();
    const tensors = openWeights(source.folder);
    try {
      saveModel(architecture.build(tensors, form), graphFile(temporary));
    } finally {
      tensors.close();
    }
  });
  return graphFile(folder);
}

/**
 * The graph that a folder brings, as it is: what exporters wrote is neither of our forms and serves
 * as both. Only one of fused operators has to be taken apart for the plain form.
 */
async function ownGraphOf({ folder, weights, form, graphs }: ModelSource, file: string) {
  const model = openGraph(folder, file);
  try {
    const isFused = model.graph.nodes.some(({ opType }) => opType === 'GroupQueryAttention');
    if (form === 'fused' || !isFused) return file;
    const { bytes, json } = readConfigFile(folder);
    const key = graphKey({ config: bytes, weights, form, builder: builderVersion });
    const built = await cachedGraph(graphs, key, async (temporary) => {
      const { inForm } = await import('./passInput.ts');
      const plain = await inForm({ model, config: json }, 'unfuse');
      saveModel(plain.model, graphFile(temporary));
    });
    return graphFile(built);
  } finally {
    model.close();
  }
}

/** The graph of a model in numbers, with the hook points it has. */
export async function describeGraph(source: ModelSource): Promise<GraphFacts> {
  const file = await graphOf(source);
  if (ownGraph(source.folder) === null) {
    const { architecture } = readConfig(source.folder);
    return graphFacts(file, source.form, architecture.hookPoints(source.form));
  }
  const model = loadModel(file);
  try {
    return graphFacts(file, source.form, graphHookPoints(model));
  } finally {
    model.close();
  }
}

/** What a graph is made of, in numbers. */
export function graphFacts(
  file: string,
  form: GraphForm,
  hookPoints: readonly string[],
): GraphFacts {
  const model = loadModel(file);
  const { graph, opsets } = model;
  try {
    const operators: Record<string, number> = {};
    for (const { opType } of graph.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
    return {
      form,
      opsets: Object.fromEntries(
        [...opsets].map(([domain, version]) => [domain || 'ai.onnx', version]),
      ),
      nodes: graph.nodes.length,
      operators,
      inputs: graph.inputs.map(portOf),
      outputs: graph.outputs.map(portOf),
      hookPoints: [...hookPoints],
    };
  } finally {
    model.close();
  }
}

function portOf({ name, type }: ValueInfo): GraphFacts['inputs'][number] {
  return { name, dataType: typeName(type), shape: shapeOf(type) };
}

function typeName(type: ValueType | null): string {
  switch (type?.kind) {
    case 'tensor':
      return type.dataType;
    case 'sparseTensor':
      return `sparse ${type.dataType}`;
    case 'sequence':
    case 'optional':
      return `${type.kind} of ${typeName(type.element)}`;
    case 'map':
      return `map of ${type.key} to ${typeName(type.value)}`;
    default:
      return 'unknown';
  }
}

function shapeOf(type: ValueType | null): (number | string)[] {
  if (type?.kind !== 'tensor' && type?.kind !== 'sparseTensor') return [];
  return (type.shape ?? []).map((size) => size ?? '?');
}
