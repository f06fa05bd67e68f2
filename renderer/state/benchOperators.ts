import type { OperatorTime } from '../../preload/contract/index.ts';

/** The part of a run that times are told of. */
export type OperatorPhase = 'prefill' | 'decode';
export type OperatorGrouping = 'operator' | 'block' | 'node';

/** Nodes that are told together. */
export interface OperatorRow {
  readonly name: string;
  readonly nodes: number;
  readonly calls: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Of the time that all operators take in each phase, 0 … 1. */
  readonly prefillShare: number;
  readonly decodeShare: number;
}

/** What stands in no block of the model: embedding, last norm, output matrix. */
const outside = 'outside the blocks';

const nameOf = ({ node, operator, block }: OperatorTime, by: OperatorGrouping): string => {
  switch (by) {
    case 'operator':
      return operator;
    case 'block':
      return block === null ? outside : `block ${block}`;
    case 'node':
      return node;
  }
};

/** Adds up nodes of one kind. */
export function groupOperators(
  operators: readonly OperatorTime[],
  by: OperatorGrouping,
): OperatorRow[] {
  const prefill = sum(operators, 'prefillMs');
  const decode = sum(operators, 'decodeMs');
  return [...Map.groupBy(operators, (operator) => nameOf(operator, by))].map(([name, some]) => {
    const prefillMs = sum(some, 'prefillMs');
    const decodeMs = sum(some, 'decodeMs');
    return {
      name,
      nodes: some.length,
      calls: sum(some, 'calls'),
      prefillMs,
      decodeMs,
      prefillShare: prefill === 0 ? 0 : prefillMs / prefill,
      decodeShare: decode === 0 ? 0 : decodeMs / decode,
    };
  });
}

const sum = (some: readonly OperatorTime[], key: 'prefillMs' | 'decodeMs' | 'calls'): number =>
  some.reduce((total, operator) => total + operator[key], 0);

/** The operators of every block in the order of the model, what is outside of all at the end. */
export function blockTimes(
  operators: readonly OperatorTime[],
  phase: OperatorPhase,
): { name: string; parts: { operator: string; ms: number }[] }[] {
  const last = Infinity;
  return [...Map.groupBy(operators, ({ block }) => block ?? last)]
    .toSorted(([a], [b]) => a - b)
    .map(([block, some]) => ({
      name: block === last ? 'outside' : String(block),
      parts: some.map(({ operator, prefillMs, decodeMs }) => ({
        operator,
        ms: phase === 'prefill' ? prefillMs : decodeMs,
      })),
    }));
}
