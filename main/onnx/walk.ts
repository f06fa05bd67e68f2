import type { GraphFacts } from '../../preload/contract/models.ts';
import type { Graph, Model, Node, ValueInfo, ValueType } from './model.ts';
import type { Tensor } from './tensor.ts';

/** The graphs a node holds in its attributes: branches, loop bodies. */
export function subgraphs(node: Node): readonly Graph[] {
  return [...node.attributes.values()].flatMap((attribute) => {
    if (attribute.kind === 'graph') return [attribute.value];
    return attribute.kind === 'graphs' ? attribute.value : [];
  });
}

/** The constants of a graph and of its subgraphs. */
export function constantsIn({ nodes, initializers }: Graph): Tensor[] {
  const inner = nodes.flatMap(subgraphs).flatMap(constantsIn);
  return [...initializers.values(), ...inner];
}

/** What a graph is made of, subgraphs included; functions count as one operator each. */
export function summarise(model: Model): Omit<GraphFacts, 'form' | 'hookPoints'> {
  const { graph } = model;
  const operators = new Map<string, number>();
  const count = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      operators.set(node.opType, (operators.get(node.opType) ?? 0) + 1);
      subgraphs(node).forEach(count);
    }
  };
  count(graph);
  return {
    opsets: Object.fromEntries(model.opsets),
    nodes: [...operators.values()].reduce((sum, number) => sum + number, 0),
    operators: Object.fromEntries(operators),
    // Before IR version 4 constants were listed among the inputs.
    inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(describe),
    outputs: graph.outputs.map(describe),
  };
}

function describe({ name, type }: ValueInfo): GraphFacts['inputs'][number] {
  const shape = type?.kind === 'tensor' && type.shape !== null ? type.shape : [];
  return { name, dataType: typeName(type), shape: shape.map((size) => size ?? '?') };
}

function typeName(type: ValueType | null): string {
  switch (type?.kind) {
    case 'tensor':
      return type.dataType;
    case 'sparseTensor':
      return `sparse(${type.dataType})`;
    case 'sequence':
    case 'optional':
      return `${type.kind}(${typeName(type.element)})`;
    case 'map':
      return `map(${type.key}, ${typeName(type.value)})`;
    case 'opaque':
    case 'none':
    case undefined:
      return 'unknown';
  }
}
