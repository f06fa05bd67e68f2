import { int } from '../onnx/attributes.ts';
import type { GraphBuilder } from '../onnx/build.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** Code of float32, for Cast. */
export const toFloat32Attribute = { to: int(dataTypes.float32.code) };

/** Constants of a graph, each stored once whoever uses it. */
export class Constants {
  private readonly graph: GraphBuilder;
  private readonly stored = new Map<string, Tensor>();
  private readonly converted = new Map<string, string>();

  constructor(graph: GraphBuilder) {
    this.graph = graph;
  }

  /** The constant in the type it is stored in; `make` is called for the first use of a name. */
  keep(name: string, make: () => Tensor): Tensor {
    const tensor = this.stored.get(name) ?? make();
    this.stored.set(name, tensor);
    this.graph.initializer(tensor);
    return tensor;
  }

  /**
   * The constant as float32. Halves stay halves in the file: onnxruntime converts them once, when it
   * loads the graph.
   */
  float32(name: string, make: () => Tensor): string {
    const tensor = this.keep(name, make);
    if (tensor.dataType === 'float32') return name;
    const known = this.converted.get(name);
    if (known !== undefined) return known;
    const [value] = this.graph.node('Cast', [name], {
      outputs: [`${name}:float32`],
      attributes: toFloat32Attribute,
    });
    this.converted.set(name, value);
    return value;
  }
}
