import { int } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';
import { readDecoder } from '../passes/decoder.ts';
import { edited, MICROSOFT, nodeOf, type Edit } from '../passes/edit.ts';
import type { Floats } from '../passes/floatMatrix.ts';
import { GraphIndex } from '../passes/graphIndex.ts';
import { linearEdit, type Linear } from '../passes/linear.ts';
import { embeddingTable, linearMapOf } from '../passes/linearMap.ts';

/**
 * The model with every layer as one float32 matrix, computed from what stands in its place when it
 * is read. An output matrix over the embedding's own codes is tied to it again.
 */
export function floatModel(model: Model): Model {
  const decoder = readDecoder(model);
  const graph = new GraphIndex(model);
  const { embedding, head, linears } = decoder;
  const remember = memory();
  const table = embedding.weight ?? remember('embed.float', embeddingTable(graph, decoder));
  const shared = codesOf(graph, embedding);
  const edits = linears
    .filter(({ weight }) => weight === null)
    .map((linear): Edit => {
      const { weight, bias } = linearMapOf(graph, linear);
      const shares = linear === head && shared !== null && codesOf(graph, head) === shared;
      const matrix = shares ? table : remember(`${linear.name}.float`, weight);
      return layerEdit(linear, matrix, bias && remember(`${linear.name}.float_bias`, bias));
    });
  if (embedding.weight === null) {
    const nodes = [nodeOf('Gather', [table.name, 'input_ids'], ['embed'])];
    edits.push({ remove: embedding.nodes, nodes, initializers: [table] });
  }
  return edited(model, ...edits);
}

/** Constants computed when read; the last one is kept, since its rows are read part by part. */
function memory(): (name: string, floats: Floats) => Tensor {
  let last: { name: string; bytes: Uint8Array } | null = null;
  return (name, { dims, read }) =>
    lazyTensor(name, 'float32', dims, () => {
      if (last?.name !== name) {
        const { buffer, byteOffset, byteLength } = read();
        last = { name, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
      }
      return last.bytes;
    });
}

function layerEdit(linear: Linear, matrix: Tensor, bias: Tensor | null): Edit {
  const sum = bias === null ? linear.output : `${linear.output}/product`;
  const nodes: Node[] = [
    nodeOf('FusedMatMul', [linear.input, matrix.name], [sum], {
      attributes: { transB: int(1) },
      domain: MICROSOFT,
    }),
  ];
  if (bias !== null) nodes.push(nodeOf('Add', [sum, bias.name], [linear.output]));
  const initializers = bias === null ? [matrix] : [matrix, bias];
  return linearEdit(linear, { nodes, initializers });
}

/** The name of the packed constant that nodes read, where they read just one. */
function codesOf(graph: GraphIndex, { nodes }: { nodes: readonly Node[] }): string | null {
  const constants = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((name) => graph.model.graph.initializers.get(name) ?? []),
  );
  return constants.find(({ dataType }) => dataType === 'uint8')?.name ?? null;
}
