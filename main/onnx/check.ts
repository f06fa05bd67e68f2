import { LatheError } from '../../preload/contract/errors.ts';
import { operatorRisks, type Constants } from './checkOperators.ts';
import { checkExpansion } from './checkFunctions.ts';
import type { Graph, Model, Node } from './model.ts';
import type { Tensor } from './tensor.ts';
import { subgraphs } from './walk.ts';

/** Something a model may do that a check cannot rule out: it can hang or end its process. */
export interface Risk {
  readonly node: string;
  readonly message: string;
}

interface Place {
  readonly file: string;
  readonly opsets: ReadonlyMap<string, number>;
  readonly risks: Risk[];
}

/** Names that can be used at a place, and the constants among them. */
interface Scope extends Constants {
  readonly names: Set<string>;
  readonly constants: Map<string, Tensor>;
  readonly outer: Scope | null;
}

/**
 * Checks what a runtime takes on trust, before it sees the model: every value is given once and
 * before it is used, every operator set is imported, functions end and stay small. Throws
 * `graph_invalid` at the first fault; gives back the risks that remain. Operators, their types
 * and shapes are the runtime's to check. A model that passes can still do harm: it runs in a
 * process of its own.
 */
export function checkModel(model: Model, file: string): Risk[] {
  const risks: Risk[] = [];
  const { graph, opsets, functions } = model;
  checkOpsets(model, file);
  if (graph.outputs.length === 0) throw fault(file, 'the graph has no outputs', graph.name);
  checkExpansion(model, file);
  checkGraph(graph, null, { file, opsets, risks });
  for (const body of functions) {
    const place = { file, opsets: body.opsets, risks };
    const scope = emptyScope(null);
    for (const name of body.inputs) claim(scope, name, file, body.name);
    checkNodes(body.nodes, scope, place);
    checkOutputs(body.outputs, scope, file, body.name);
    for (const attribute of body.defaults.values()) {
      if (attribute.kind === 'tensor') checkElements(attribute.value);
    }
  }
  return risks;
}

function checkOpsets({ irVersion, opsets, functions }: Model, file: string): void {
  // Operator sets came with IR version 3.
  if (opsets.size === 0 && irVersion >= 3) throw fault(file, 'no operator set is imported', '');
  for (const [domain, version] of [opsets, ...functions.map((one) => one.opsets)].flatMap((all) => [
    ...all,
  ])) {
    if (version < 1) throw fault(file, `version of operator set ${domain || 'ai.onnx'}`, version);
  }
}

function checkGraph(graph: Graph, outer: Scope | null, place: Place): void {
  const scope = emptyScope(outer);
  const { file } = place;
  for (const { name } of graph.inputs) claim(scope, name, file, graph.name);
  // A constant of an input's name is the input's default.
  for (const [name, tensor] of graph.initializers) {
    scope.names.add(name);
    scope.constants.set(name, tensor);
    checkElements(tensor);
  }
  for (const { values, indices } of graph.sparseInitializers) {
    scope.names.add(values.name);
    checkElements(values);
    checkElements(indices);
  }
  checkNodes(graph.nodes, scope, place);
  const outputs = graph.outputs.map(({ name }) => name);
  checkOutputs(outputs, scope, file, graph.name);
}

function checkNodes(nodes: readonly Node[], scope: Scope, place: Place): void {
  const { file, opsets, risks } = place;
  for (const node of nodes) {
    const label = node.name || node.outputs.find((name) => name !== '') || node.opType;
    if (node.opType === '') throw fault(file, 'a node has no operator', label, label);
    if (!isImported(node.domain, opsets)) {
      throw fault(file, 'operator set is not imported', node.domain || 'ai.onnx', label);
    }
    for (const name of node.inputs) {
      if (name !== '' && !isKnown(scope, name)) {
        throw fault(file, `node ${label} uses a value before anything gives it`, name, label);
      }
    }
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === 'tensor') checkElements(attribute.value);
    }
    for (const message of operatorRisks(node, scope)) risks.push({ node: label, message });
    for (const body of subgraphs(node)) checkGraph(body, scope, place);
    for (const name of node.outputs) if (name !== '') claim(scope, name, file, label);
    const constant = constantOf(node);
    const [output] = node.outputs;
    if (constant !== null && output !== undefined) scope.constants.set(output, constant);
  }
}

function checkOutputs(names: readonly string[], scope: Scope, file: string, graph: string): void {
  for (const name of names) {
    if (!scope.names.has(name)) throw fault(file, `nothing gives an output of ${graph}`, name);
  }
}

/** Typed lists hide their length until they are read. */
function checkElements({ bytes }: Tensor): void {
  if (bytes.packed !== undefined) bytes.read();
}

function emptyScope(outer: Scope | null): Scope {
  const constants = new Map<string, Tensor>();
  const names = new Set<string>();
  // A name of this scope hides the constants of outer ones.
  const constant = (name: string): Tensor | undefined =>
    constants.get(name) ?? (names.has(name) ? undefined : outer?.constant(name));
  return { names, constants, outer, constant };
}

function isKnown(scope: Scope | null, name: string): boolean {
  return scope !== null && (scope.names.has(name) || isKnown(scope.outer, name));
}

function claim(scope: Scope, name: string, file: string, node: string): void {
  if (scope.names.has(name)) throw fault(file, 'a value is given twice', name, node);
  scope.names.add(name);
}

function constantOf(node: Node): Tensor | null {
  if (node.opType !== 'Constant' || !isOnnx(node.domain)) return null;
  const value = node.attributes.get('value');
  return value?.kind === 'tensor' ? value.value : null;
}

const isOnnx = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

function isImported(domain: string, opsets: ReadonlyMap<string, number>): boolean {
  // Before IR version 3 there was nothing to import; onnxruntime knows its own domain without.
  if (opsets.size === 0 || domain === 'com.microsoft') return true;
  return isOnnx(domain) ? opsets.has('') || opsets.has('ai.onnx') : opsets.has(domain);
}

function fault(file: string, reason: string, value: unknown, node?: string): LatheError {
  const shown = String(value).slice(0, 200);
  return new LatheError('graph_invalid', `${reason}: ${shown}`, {
    file,
    value: shown,
    ...(node === undefined ? {} : { node: node.slice(0, 200) }),
  });
}
