import type { GraphForm } from '../../preload/contract/models.ts';
import type { LlamaConfig } from '../architectures/llama/config.ts';
import type { Given, WriteValue } from '../architectures/llama/form.ts';
import { buildLlama } from '../architectures/llama/graph.ts';
import type { NamedTensor } from '../formats/namedTensors.ts';
import type { AttributeValue, Model, Node } from '../onnx/model.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';
import { readFloats } from './linear.ts';

/** A decoder taken apart, to be written anew in either form. */
export interface Parts {
  readonly config: LlamaConfig;
  /** Weights by the names that transformers gives them, but for those that are given. */
  readonly weights: readonly NamedTensor[];
  readonly given: Given;
}

/** Writes the graph of a decoder from its parts. Weights are read when the model is saved. */
export function rebuild({ config, weights, given }: Parts, form: GraphForm): Model {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const tensors = {
    path: 'the graph',
    names: [...byName.keys()],
    get: (name: string) => byName.get(name),
    close: () => {},
  };
  return buildLlama(config, tensors, form, given);
}

/** Nodes between two values of a graph, to be written into another. */
export interface Region {
  readonly model: Model;
  readonly nodes: readonly Node[];
  readonly input: string;
  readonly output: string;
}

/** Names that the writers of graphs give to small constants. */
const smallConstant = /^[if]\d+[[(]/;

/**
 * Writes a region as it was found; its inner values are named by `label`. 16-bit constants that its
 * operators compute with (scales) are widened, since all else computes in float32.
 */
export function writeRegion({ model, nodes, input, output }: Region, label: string): WriteValue {
  const { initializers } = model.graph;
  const renamed = new Map<string, Tensor>();
  return (graph, from, to) => {
    const names = new Map([[input, from]]);
    const constant = (tensor: Tensor, { opType }: Node): string => {
      const stored = opType === 'Cast' ? tensor : widened(tensor);
      if (!smallConstant.test(tensor.name)) return graph.initializer(stored);
      const own = renamed.get(tensor.name) ?? { ...stored, name: `${label}/${tensor.name}` };
      renamed.set(tensor.name, own);
      return graph.initializer(own);
    };
    nodes.forEach((node, index) => {
      const inputs = node.inputs.map((name) => {
        const tensor = initializers.get(name);
        return names.get(name) ?? (tensor === undefined ? name : constant(tensor, node));
      });
      const outputs = node.outputs.map((name, at) => {
        if (name === '') return '';
        const target = name === output && to !== undefined ? to : `${label}/${index}:${at}`;
        names.set(name, target);
        return target;
      });
      const attributes: Record<string, AttributeValue> = Object.fromEntries(node.attributes);
      const { domain } = node;
      graph.node(node.opType, inputs, { outputs, attributes, domain, name: `${label}/${index}` });
    });
    return names.get(output) ?? from;
  };
}

/** Constants that several regions share are widened once. */
const wide = new WeakMap<Tensor, Tensor>();

function widened(tensor: Tensor): Tensor {
  if (tensor.dataType !== 'float16' && tensor.dataType !== 'bfloat16') return tensor;
  const known = wide.get(tensor);
  if (known !== undefined) return known;
  const result = lazyTensor(tensor.name, 'float32', tensor.dims, () => {
    const { buffer, byteOffset, byteLength } = readFloats(tensor);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  wide.set(tensor, result);
  return result;
}
