import type { Node } from '../onnx/model.ts';
import { requireLinear, type FoundLinear } from './fuseLinear.ts';
import { floatOf, integers, intOf, intsOf, unlike, type Matcher } from './fuseMatch.ts';

/** Attention found in a foreign graph. */
export interface FoundAttention {
  /** Queries, keys and values; or one layer that gives them all. */
  readonly linears: readonly [FoundLinear] | readonly [FoundLinear, FoundLinear, FoundLinear];
  readonly scale: number;
  /** Values that hold cosines and sines of the positions' angles. */
  readonly cos: string;
  readonly sin: string;
}

interface Turned {
  readonly value: string;
  readonly cos: string;
  readonly sin: string;
}

/** The attention of block `layer` whose heads a value holds; `headDim` elements each. */
export function requireAttention(
  match: Matcher,
  value: string,
  layer: number,
  headDim: number,
): FoundAttention {
  const heads = match.flat(value);
  const node = match.graph.producer(heads);
  if (node?.opType === 'GroupQueryAttention') return matchGrouped(match, node, layer, headDim);
  if (node?.opType === 'MatMul') return matchPrimitives(match, node, layer, headDim);
  throw unlike('no attention gives this value', heads, node);
}

const pastOf = (layer: number, what: 'key' | 'value'): string => `past_key_values.${layer}.${what}`;

function matchGrouped(match: Matcher, node: Node, layer: number, headDim: number): FoundAttention {
  const [query, key, value, pastKey, pastValue, , , cos = '', sin = ''] = node.inputs;
  if (match.strip(pastKey) !== pastOf(layer, 'key')) throw unlike('another cache', pastKey, node);
  if (match.strip(pastValue) !== pastOf(layer, 'value')) {
    throw unlike('another cache', pastValue, node);
  }
  const unusual =
    intOf(node, 'local_window_size', -1) !== -1 ||
    floatOf(node, 'softcap', 0) !== 0 ||
    intOf(node, 'rotary_interleaved', 0) !== 0 ||
    node.inputs.slice(10).some((input) => input !== '');
  if (unusual)
    throw unlike('attention with a window, a bias or interleaved turns', node.name, node);
  const scale = floatOf(node, 'scale', 0) || 1 / Math.sqrt(headDim);
  if (intOf(node, 'do_rotary', 0) === 1) {
    const operands = key === '' ? [query] : [query, key, value];
    return { ...linearsOf(match, operands), scale, cos, sin };
  }
  const [q, k] = [requireTurn(match, query), requireTurn(match, key)];
  return { ...linearsOf(match, [q.value, k.value, value]), scale, cos: q.cos, sin: q.sin };
}

function matchPrimitives(
  match: Matcher,
  mixed: Node,
  layer: number,
  headDim: number,
): FoundAttention {
  const softmax = match.op(match.flat(withoutNaN(match, mixed.inputs[0])), 'Softmax');
  if (softmax === null || ![-1, 3].includes(intOf(softmax, 'axis', -1))) {
    throw unlike('attention without a softmax over the keys', mixed.inputs[0], mixed);
  }
  const { query, key, scale } = requireScores(match, softmax, headDim);
  const keys = fromCache(match, key, pastOf(layer, 'key'));
  const values = fromCache(match, mixed.inputs[1], pastOf(layer, 'value'));
  const [q, k] = [requireTurn(match, query), requireTurn(match, keys)];
  return { ...linearsOf(match, [q.value, k.value, values]), scale, cos: q.cos, sin: q.sin };
}

/** Exporters replace the pattern of a token that may look nowhere: Where(IsNaN(p), 0, p). */
function withoutNaN(match: Matcher, value: string): string {
  const where = match.op(value, 'Where');
  return where !== null && match.op(where.inputs[0], 'IsNaN') !== null ? where.inputs[2] : value;
}

/** Queries, keys and scale behind masked scores: Add(scores, mask) or Where(allowed, scores, -∞). */
function requireScores(
  match: Matcher,
  softmax: Node,
  headDim: number,
): { query: string; key: string; scale: number } {
  const masked = match.flat(softmax.inputs[0]);
  const node = match.op(masked, 'Add', 'Where');
  if (node === null) throw unlike('scores without a mask', masked, softmax);
  const candidates = node.opType === 'Add' ? node.inputs : [node.inputs[1]];
  for (const candidate of candidates) {
    const { value, scale } = match.unscaled(match.flat(candidate), headDim);
    const product = match.op(match.flat(value), 'MatMul');
    if (product === null) continue;
    const query = match.unscaled(match.flat(product.inputs[0]), headDim);
    const key = match.unscaled(product.inputs[1], headDim);
    const turned = match.op(key.value, 'Transpose');
    if (turned === null || intsOf(turned, 'perm') !== '0,1,3,2') continue;
    const keys = match.unscaled(turned.inputs[0], headDim);
    return {
      query: query.value,
      key: keys.value,
      scale: scale * query.scale * key.scale * keys.scale,
    };
  }
  throw unlike('scores that are no product of queries and keys', masked, node);
}

/** The new keys or values that stand behind the cache, before they are repeated for their group. */
function fromCache(match: Matcher, value: string, past: string): string {
  let current = match.strip(value);
  let node = match.graph.producer(current);
  while (node !== undefined && ['Reshape', 'Expand', 'Unsqueeze', 'Cast'].includes(node.opType)) {
    if (node.opType === 'Unsqueeze') {
      const axes = node.inputs[1] === undefined ? null : match.constant(node.inputs[1]);
      // Repeating heads in another order would pair queries with other keys.
      if (axes !== null && integers(axes).join() !== '2') {
        throw unlike('key-value heads repeated in an unknown order', current, node);
      }
    }
    current = node.inputs[0];
    node = match.graph.producer(current);
  }
  const joins = node?.opType === 'Concat' && [2, -2].includes(intOf(node, 'axis', 0));
  if (node === undefined || !joins || match.strip(node.inputs[0]) !== past) {
    throw unlike(`attention that does not read ${past}`, current, node);
  }
  return node.inputs[1];
}

/** What rotary embedding is applied to, written as one operator or in primitive ones. */
function requireTurn(match: Matcher, value: string): Turned {
  const outer = match.flat(value);
  const node = match.graph.producer(outer);
  if (node?.opType === 'RotaryEmbedding') {
    const foreign = node.domain !== '';
    const [x, second, third, fourth] = node.inputs;
    const plain =
      intOf(node, 'interleaved', 0) === 0 && intOf(node, 'rotary_embedding_dim', 0) === 0;
    if (!plain) throw unlike('interleaved or partial rotary embedding', outer, node);
    return foreign ? { value: x, cos: third, sin: fourth } : { value: x, cos: second, sin: third };
  }
  const turned =
    node?.opType === 'Add'
      ? matchRotated(match, node)
      : node?.opType === 'Concat'
        ? matchHalves(match, node)
        : null;
  if (turned === null) throw unlike('queries or keys without rotary embedding', outer, node);
  return turned;
}

/** x · cos + rotate(x) · sin. */
function matchRotated(match: Matcher, add: Node): Turned | null {
  for (const [straight, crossed] of match.pairs(add)) {
    const first = match.op(straight, 'Mul');
    const second = match.op(crossed, 'Mul');
    if (first === null || second === null) continue;
    for (const [rotated, sin] of match.pairs(second)) {
      const x = matchRotation(match, rotated);
      if (x === null) continue;
      const [a, b] = first.inputs;
      if (match.strip(a) === x) return { value: x, cos: b, sin };
      if (match.strip(b) === x) return { value: x, cos: a, sin };
    }
  }
  return null;
}

/** x of Concat(-x₂, x₁), its halves exchanged. */
function matchRotation(match: Matcher, value: string): string | null {
  const concat = match.op(value, 'Concat');
  if (concat === null) return null;
  const negative = match.op(concat.inputs[0], 'Neg');
  if (negative === null) return null;
  const second = halfOf(match, negative.inputs[0]);
  const first = halfOf(match, concat.inputs[1]);
  if (first?.half !== 0 || second?.half !== 1 || first.value !== second.value) return null;
  return first.value;
}

/** Concat(x₁ · cos - x₂ · sin, x₂ · cos + x₁ · sin). */
function matchHalves(match: Matcher, concat: Node): Turned | null {
  const sub = match.op(concat.inputs[0], 'Sub');
  const add = match.op(concat.inputs[1], 'Add');
  if (sub === null || add === null) return null;
  const products = [...sub.inputs, ...add.inputs].map((value) => match.op(value, 'Mul'));
  const terms = products.map((product) => {
    for (const [part, angle] of product === null ? [] : match.pairs(product)) {
      const half = halfOf(match, part);
      if (half !== null) return { ...half, angle };
    }
    return null;
  });
  const [a, b, c, d] = terms;
  if (a === null || b === null || c === null || d === null) return null;
  const halves = terms.map((term) => term?.half).join();
  const same = terms.every((term) => term?.value === a.value);
  if (halves !== '0,1,1,0' || !same || a.angle !== c.angle || b.angle !== d.angle) return null;
  return { value: a.value, cos: a.angle, sin: b.angle };
}

/** Which half of the last axis of another value this one is. */
function halfOf(match: Matcher, value: string): { value: string; half: 0 | 1 } | null {
  const source = match.strip(value);
  const node = match.graph.producer(source);
  if (node?.opType === 'Split' && node.outputs.length === 2) {
    return { value: match.strip(node.inputs[0]), half: node.outputs[0] === source ? 0 : 1 };
  }
  if (node?.opType !== 'Slice') return null;
  const [x, starts, , axes, steps = ''] = node.inputs;
  const axis = match.scalar(axes);
  if ((axis !== -1 && axis !== 3) || (steps !== '' && match.scalar(steps) !== 1)) return null;
  return { value: match.strip(x), half: match.scalar(starts) === 0 ? 0 : 1 };
}

/** The layers that give these values, or the one whose result is split into them. */
function linearsOf(match: Matcher, values: readonly string[]): Pick<FoundAttention, 'linears'> {
  const splits = values.map((value) => match.op(match.flat(value), 'Split'));
  const [split] = splits;
  if (split !== null && splits.length === 3 && splits.every((one) => one === split)) {
    const order = values.map((value) => match.flat(value));
    if (order.join() !== split.outputs.join()) {
      throw unlike('queries, keys and values in another order', order[0], split);
    }
    return { linears: [requireLinear(match, split.inputs[0], 'what is split')] };
  }
  const found = values.map((value) => requireLinear(match, value, 'a projection of attention'));
  const [first, second, third] = found;
  return { linears: second === undefined ? [first] : [first, second, third] };
}
