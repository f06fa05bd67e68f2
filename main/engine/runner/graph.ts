import type { GraphFacts, GraphForm } from '../../../preload/contract/models.ts';
import { loadModel } from '../../onnx/load.ts';
import type { ValueInfo, ValueType } from '../../onnx/model.ts';
import { saveModel } from '../../onnx/save.ts';
import { openWeights } from '../../formats/weights.ts';
import { cachedGraph, graphFile, graphKey } from '../../library/graphs.ts';
import type { ModelSource } from './contract.ts';
import { readConfig } from './folder.ts';

/**
 * Counts changes to what main/architectures and main/onnx write: graphs in the cache that another
 * version built are not used any more.
 */
export const builderVersion = '1';

/** The file of a model's graph: from the cache, or built now. `onBuild` is told of the latter. */
export async function graphOf(source: ModelSource, onBuild?: () => void): Promise<string> {
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
