import { dataTypes, type DataType } from './dataTypes.ts';
import type { Node } from './model.ts';
import type { Tensor } from './tensor.ts';

/** Rounds that take minutes at most, whatever a body does that is worth running here. */
const MOST_ROUNDS = 1_000_000;

/** Elements of a constant made at run time: the weights of a large model are fewer. */
const MOST_ELEMENTS = 1e9;

/** Looks constants up by name. */
export interface Constants {
  constant(name: string): Tensor | undefined;
}

/** What this node may do to its process, as far as its constant inputs tell. */
export function operatorRisks(node: Node, scope: Constants): string[] {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return [];
  return [divisionRisk(node, scope), loopRisk(node, scope), sizeRisk(node, scope)].filter(
    (risk) => risk !== null,
  );
}

/**
 * Integer division by a constant 0 or −1: the smallest integer divided by −1 does not fit, and the
 * processor ends the process (also while onnxruntime folds constants, before anything runs).
 */
function divisionRisk(node: Node, scope: Constants): string | null {
  if (node.opType !== 'Div' && node.opType !== 'Mod') return null;
  const divisor = scope.constant(node.inputs[1] ?? '');
  if (divisor === undefined) return null;
  for (const value of integers(divisor)) {
    if (value === 0n || value === -1n) {
      return `${node.opType} of integers by the constant ${value} can end the process`;
    }
  }
  return null;
}

/** A Loop that may never end: without a number of rounds, or one too large or not known. */
function loopRisk(node: Node, scope: Constants): string | null {
  if (node.opType !== 'Loop') return null;
  const rounds = scope.constant(node.inputs[0] ?? '');
  if (rounds === undefined) return 'Loop without a known number of rounds can run for ever';
  const [most] = integers(rounds);
  return most !== undefined && most <= BigInt(MOST_ROUNDS)
    ? null
    : `Loop of up to ${most ?? 'unknown'} rounds can run for ever`;
}

/** A tensor of a constant shape that takes all memory: onnxruntime has no cap of its own. */
function sizeRisk(node: Node, scope: Constants): string | null {
  if (node.opType !== 'ConstantOfShape') return null;
  const shape = scope.constant(node.inputs[0] ?? '');
  if (shape === undefined) return null;
  let elements = 1;
  for (const size of integers(shape)) elements *= Number(size);
  return elements > MOST_ELEMENTS ? `ConstantOfShape makes ${elements} elements` : null;
}

function* integers({ dataType, bytes }: Tensor): Generator<bigint> {
  const read = readers[dataType];
  if (read === undefined) return;
  const data = bytes.read();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = dataTypes[dataType].bits / 8;
  for (let offset = 0; offset < view.byteLength; offset += width) yield BigInt(read(view, offset));
}

const readers: Partial<Record<DataType, (view: DataView, offset: number) => number | bigint>> = {
  int8: (view, offset) => view.getInt8(offset),
  uint8: (view, offset) => view.getUint8(offset),
  int16: (view, offset) => view.getInt16(offset, true),
  uint16: (view, offset) => view.getUint16(offset, true),
  int32: (view, offset) => view.getInt32(offset, true),
  uint32: (view, offset) => view.getUint32(offset, true),
  int64: (view, offset) => view.getBigInt64(offset, true),
  uint64: (view, offset) => view.getBigUint64(offset, true),
};
