import { LatheError } from '../../preload/contract/errors.ts';
import type { Dimension, Model, Node, ValueInfo } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { isFloatTensor } from './linear.ts';

/** Look-ups in a graph: who gives a value, who takes it, what is constant. */
export class GraphIndex {
  readonly model: Model;
  private readonly producers = new Map<string, Node>();
  private readonly users = new Map<string, Node[]>();
  private readonly order = new Map<Node, number>();

  constructor(model: Model) {
    this.model = model;
    model.graph.nodes.forEach((node, index) => {
      this.order.set(node, index);
      for (const name of node.outputs) if (name !== '') this.producers.set(name, node);
      for (const name of new Set(node.inputs)) {
        if (name === '') continue;
        const known = this.users.get(name);
        if (known === undefined) this.users.set(name, [node]);
        else known.push(node);
      }
    });
  }

  /** The node that gives a value. */
  producer(value: string): Node | undefined {
    return this.producers.get(value);
  }

  /** The nodes that take a value. */
  consumers(value: string): readonly Node[] {
    return this.users.get(value) ?? [];
  }

  /** The node that takes a value where it is the only one. */
  onlyConsumer(value: string): Node | undefined {
    const users = this.consumers(value);
    return users.length === 1 ? users[0] : undefined;
  }

  /** Position of a node in the order of execution. */
  position(node: Node): number {
    return this.order.get(node) ?? -1;
  }

  /** The constant behind a name, through a Cast where 16-bit weights are widened. */
  weight(value: string): Tensor | null {
    const { initializers } = this.model.graph;
    const direct = initializers.get(value);
    if (direct !== undefined) return direct;
    const node = this.producers.get(value);
    if (node?.opType !== 'Cast') return null;
    return initializers.get(node.inputs[0]) ?? null;
  }

  isFloat(tensor: Tensor): boolean {
    return isFloatTensor(tensor);
  }

  /** The shape of an input or output of the graph. */
  port(name: string): readonly Dimension[] | null {
    const { inputs, outputs } = this.model.graph;
    const type = [...inputs, ...outputs].find((port) => port.name === name)?.type;
    return type?.kind === 'tensor' ? type.shape : null;
  }

  /** An input of the graph. */
  input(name: string): ValueInfo | null {
    return this.model.graph.inputs.find((port) => port.name === name) ?? null;
  }

  /** An attribute that is a whole number; `graph_invalid` where it is not given. */
  int(node: Node, name: string): number {
    const attribute = node.attributes.get(name);
    if (attribute?.kind === 'int') return Number(attribute.value);
    throw new LatheError('graph_invalid', `${node.opType} must have the attribute: ${name}`, {
      node: node.name,
    });
  }

  float(node: Node, name: string): number | null {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'float' ? attribute.value : null;
  }

  /** K of the first product among the nodes of a linear layer, however it is stored. */
  innerSize(nodes: readonly Node[]): number | null {
    for (const node of nodes) {
      const K = node.attributes.get('K');
      if (node.opType === 'MatMulNBits' && K?.kind === 'int') return Number(K.value);
      if (!['FusedMatMul', 'MatMul', 'MatMulInteger', 'Gemm'].includes(node.opType)) continue;
      const transposed = node.attributes.get('transB');
      const axis = transposed?.kind === 'int' && transposed.value === 1n ? 1 : 0;
      const size = this.stored(node.inputs[1])?.dims[axis];
      if (size !== undefined) return size;
    }
    return null;
  }

  /** The constant that a value is made of: through casts, dequantization, transposition. */
  private stored(value: string): Tensor | null {
    const direct = this.model.graph.initializers.get(value);
    if (direct !== undefined) return direct;
    const node = this.producers.get(value);
    return node === undefined || !['Cast', 'DequantizeLinear'].includes(node.opType)
      ? null
      : this.stored(node.inputs[0]);
  }
}

/**
 * All nodes that make the value `to` out of the value `from`, other values that are `given`,
 * constants and inputs of the graph, in the order they run. `graph_invalid` where `to` does not depend on `from`.
 */
export function between(
  graph: GraphIndex,
  to: string,
  from: string,
  given: readonly string[] = [],
): Node[] {
  const found = new Set<Node>();
  let reached = false;
  const waiting = [to];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (value === from) {
      reached = true;
      continue;
    }
    const node = given.includes(value) ? undefined : graph.producer(value);
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    waiting.push(...node.inputs);
  }
  if (!reached) {
    throw new LatheError('graph_invalid', `${to} is not computed from: ${from}`, { value: to });
  }
  return [...found].toSorted((a, b) => graph.position(a) - graph.position(b));
}
