import { LatheError } from '../../preload/contract/errors.ts';
import type { LocalFunction, Model, Node } from './model.ts';
import { subgraphs } from './walk.ts';

/** Nodes that calls of functions may become: 16 functions that call the next one twice hang a runtime. */
const LARGEST_EXPANSION = 100_000;

/** Functions inside one another: runtimes expand them by recursion. */
const DEEPEST_CALL = 64;

/** Refuses functions that call themselves or become too many nodes when written out. */
export function checkExpansion({ graph, functions }: Model, file: string): void {
  if (functions.length === 0) return;
  const byKey = new Map<string, LocalFunction>();
  for (const one of functions) {
    if (byKey.has(keyOf(one))) throw fault(file, 'two functions have one name', one.name);
    byKey.set(keyOf(one), one);
  }
  const sizes = new Map<LocalFunction, number>();
  const open = new Set<LocalFunction>();

  const sizeOfFunction = (one: LocalFunction): number => {
    const known = sizes.get(one);
    if (known !== undefined) return known;
    if (open.has(one)) throw fault(file, 'a function calls itself', one.name);
    if (open.size >= DEEPEST_CALL) throw fault(file, 'functions call too deeply', one.name);
    open.add(one);
    const size = sizeOfNodes(one.nodes);
    open.delete(one);
    sizes.set(one, size);
    return size;
  };
  const sizeOfNodes = (nodes: readonly Node[]): number => {
    let sum = 0;
    for (const node of nodes) {
      const called = byKey.get(keyOf({ ...node, name: node.opType }));
      const isExpanded = open.size > 0 || called !== undefined;
      sum += Number(isExpanded) + (called === undefined ? 0 : sizeOfFunction(called));
      for (const body of subgraphs(node)) sum += sizeOfNodes(body.nodes);
      if (sum > LARGEST_EXPANSION) {
        throw fault(file, `functions may become ${LARGEST_EXPANSION} nodes`, node.opType);
      }
    }
    return sum;
  };
  sizeOfNodes(graph.nodes);
  // Those that nothing calls may still call themselves.
  functions.forEach(sizeOfFunction);
}

function keyOf(one: Pick<LocalFunction, 'domain' | 'name' | 'overload'>): string {
  return JSON.stringify([one.domain === 'ai.onnx' ? '' : one.domain, one.name, one.overload]);
}

const fault = (file: string, reason: string, name: string): LatheError =>
  new LatheError('graph_invalid', `${reason}: ${name.slice(0, 200)}`, {
    file,
    value: name.slice(0, 200),
  });
