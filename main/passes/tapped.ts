import { LatheError } from '../../preload/contract/errors.ts';
import type { Model, Node, ValueInfo } from '../onnx/model.ts';

/**
 * The part of a graph that makes the named values, which become its outputs; nothing else is left.
 * `fed` are inputs of the part that take the place of whatever gives these values in the graph,
 * constants included.
 */
export function tapped(
  model: Model,
  values: readonly string[],
  fed: readonly ValueInfo[] = [],
): Model {
  const { graph } = model;
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const given = new Set(fed.map(({ name }) => name));
  const needed = new Set<Node>();
  const used = new Set<string>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value === '' || used.has(value)) continue;
    used.add(value);
    if (given.has(value)) continue;
    const node = producers.get(value);
    if (node !== undefined && !needed.has(node)) {
      needed.add(node);
      pending.push(...node.inputs);
    }
  }
  const unknown = values.find((value) => !producers.has(value));
  if (unknown !== undefined) {
    throw new LatheError('graph_invalid', `nothing in the graph gives the value: ${unknown}`, {
      value: unknown,
    });
  }
  return {
    ...model,
    graph: {
      ...graph,
      nodes: graph.nodes.filter((node) => needed.has(node)),
      initializers: new Map(
        [...graph.initializers].filter(([name]) => used.has(name) && !given.has(name)),
      ),
      inputs: [
        ...graph.inputs.filter(({ name }) => used.has(name) && !given.has(name)),
        ...fed.filter(({ name }) => used.has(name)),
      ],
      outputs: values.map((name) => ({ name, type: null })),
      valueInfo: [],
    },
  };
}
