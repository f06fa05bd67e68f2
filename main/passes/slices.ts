import { dataTypes } from '../onnx/dataTypes.ts';
import type { Dimension, Model, ValueInfo } from '../onnx/model.ts';
import { lazyTensor, type Tensor } from '../onnx/tensor.ts';

/** Indices `from` … `to` - 1. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** The elements that units of `width` elements own, neighbours joined; `first` is where unit 0 begins. */
export function spansOf(units: readonly number[], width: number, first = 0): Span[] {
  const spans: Span[] = [];
  for (const unit of units) {
    const from = first + unit * width;
    const last = spans.at(-1);
    if (last?.to === from) spans[spans.length - 1] = { from: last.from, to: from + width };
    else spans.push({ from, to: from + width });
  }
  return spans;
}

/** How many elements spans hold. */
const sizeOf = (spans: readonly Span[]): number =>
  spans.reduce((sum, { from, to }) => sum + to - from, 0);

/** Some rows of a matrix, or elements of a vector, bit by bit; read when asked for. */
function rowsKept(tensor: Tensor, spans: readonly Span[]): Tensor {
  const [rows, columns = 1] = tensor.dims;
  const dims = [sizeOf(spans), ...tensor.dims.slice(1)];
  const width = (columns * dataTypes[tensor.dataType].bits) / 8;
  return gathered(tensor, dims, { repeat: 1, length: rows * width, width }, spans);
}

/** Some columns of a matrix, bit by bit; read when asked for. */
function columnsKept(tensor: Tensor, spans: readonly Span[]): Tensor {
  const [rows, columns] = tensor.dims;
  const width = dataTypes[tensor.dataType].bits / 8;
  const line = { repeat: rows, length: columns * width, width };
  return gathered(tensor, [rows, sizeOf(spans)], line, spans);
}

/** The weight and bias of a layer with some of its outputs. */
export function rowsOfLayer(
  { weight, bias }: { weight: Tensor | null; bias: Tensor | null },
  spans: readonly Span[],
): Tensor[] {
  return [weight, bias].flatMap((tensor) => (tensor === null ? [] : [rowsKept(tensor, spans)]));
}

/** The weight of a layer with some of its inputs. */
export function columnsOfLayer(
  { weight }: { weight: Tensor | null },
  spans: readonly Span[],
): Tensor[] {
  return weight === null ? [] : [columnsKept(weight, spans)];
}

/** The spans of each of `repeat` lines of `length` bytes; elements have `width` bytes. */
function gathered(
  { name, dataType, bytes }: Tensor,
  dims: readonly number[],
  { repeat, length, width }: { repeat: number; length: number; width: number },
  spans: readonly Span[],
): Tensor {
  return lazyTensor(name, dataType, dims, () => {
    const source = bytes.read();
    const result = new Uint8Array(repeat * sizeOf(spans) * width);
    let at = 0;
    for (let line = 0; line < repeat; line++) {
      for (const { from, to } of spans) {
        const start = line * length;
        result.set(source.subarray(start + from * width, start + to * width), at);
        at += (to - from) * width;
      }
    }
    return result;
  });
}

/** The model with other shapes of some of its inputs and outputs. */
export function withPorts(
  model: Model,
  names: readonly string[],
  change: (shape: readonly Dimension[]) => readonly Dimension[],
): Model {
  const port = (info: ValueInfo): ValueInfo =>
    names.includes(info.name) && info.type?.kind === 'tensor' && info.type.shape !== null
      ? { ...info, type: { ...info.type, shape: change(info.type.shape) } }
      : info;
  const { graph } = model;
  return {
    ...model,
    graph: { ...graph, inputs: graph.inputs.map(port), outputs: graph.outputs.map(port) },
  };
}
