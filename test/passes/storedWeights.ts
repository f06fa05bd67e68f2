import type { Model, Node } from '../../main/onnx/model.ts';
import type { Tensor } from '../../main/onnx/tensor.ts';

/**
 * The float weight [N, K] that a layer's stored codes stand for, read from the graph's constants by
 * the operators' definitions, without the code that wrote them.
 */
export function storedWeight({ graph }: Model, output: string): Float32Array {
  const producer = (value: string): Node | undefined =>
    graph.nodes.find(({ outputs }) => outputs.includes(value));
  let node = producer(output);
  if (node?.opType === 'Add') node = producer(node.inputs[0]);
  if (node === undefined) throw new Error(`nothing gives ${output}`);
  const tensor = (name: string): Tensor => {
    const found = graph.initializers.get(name);
    if (found === undefined) throw new Error(`no constant ${name}`);
    return found;
  };
  if (node.opType === 'MatMulNBits') return ofBlocks(node, tensor);
  const dequantize = producer(node.inputs[1]);
  if (node.opType !== 'MatMul' || dequantize?.opType !== 'DequantizeLinear') {
    throw new Error(`unknown form: ${node.opType}`);
  }
  return ofQdq(dequantize, tensor);
}

function ofBlocks(node: Node, tensor: (name: string) => Tensor): Float32Array {
  const [N, K, bits, size] = ['N', 'K', 'bits', 'block_size'].map((name) => whole(node, name));
  const codes = tensor(node.inputs[1]).bytes.read();
  const scales = floats(tensor(node.inputs[2]));
  const zeros = node.inputs[3] ? tensor(node.inputs[3]) : null;
  const blocks = Math.ceil(K / size);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const zeroOf = (row: number, block: number): number => {
    if (zeros === null) return 2 ** (bits - 1);
    if (zeros.dataType === 'float32') return floats(zeros)[row * blocks + block];
    return bitsAt(zeros.bytes.read().subarray(row * rowBytes), block, bits);
  };
  return Float32Array.from({ length: N * K }, (_, i) => {
    const [row, k] = [Math.floor(i / K), i % K];
    const block = Math.floor(k / size);
    const code = bitsAt(codes, (row * blocks + block) * size + (k % size), bits);
    return (code - zeroOf(row, block)) * scales[row * blocks + block];
  });
}

function ofQdq(node: Node, tensor: (name: string) => Tensor): Float32Array {
  const [codes, scales, zeros] = node.inputs.map(tensor);
  const [K, N] = codes.dims;
  const size = whole(node, 'block_size');
  const bits = codes.dataType.endsWith('4') ? 4 : 8;
  const signed = !codes.dataType.startsWith('u');
  const [codeBytes, zeroBytes] = [codes.bytes.read(), zeros.bytes.read()];
  const steps = floats(scales);
  const read = (bytes: Uint8Array, index: number): number => {
    const value = bitsAt(bytes, index, bits);
    return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  };
  return Float32Array.from({ length: N * K }, (_, i) => {
    const [row, k] = [Math.floor(i / K), i % K];
    const at = Math.floor(k / size) * N + row;
    return (read(codeBytes, k * N + row) - read(zeroBytes, at)) * steps[at];
  });
}

function bitsAt(bytes: Uint8Array, index: number, bits: number): number {
  const perByte = 8 / bits;
  return (bytes[Math.floor(index / perByte)] >> ((index % perByte) * bits)) & (2 ** bits - 1);
}

function floats({ bytes }: Tensor): Float32Array {
  return new Float32Array(bytes.read().slice().buffer);
}

function whole({ attributes }: Node, name: string): number {
  const attribute = attributes.get(name);
  return attribute?.kind === 'int' ? Number(attribute.value) : NaN;
}
