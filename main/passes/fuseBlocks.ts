import type { Tensor } from '../onnx/tensor.ts';
import { requireAttention, type FoundAttention } from './fuseAttention.ts';
import { matchLinear, requireLinear, type FoundLinear } from './fuseLinear.ts';
import { floatOf, unlike, type Matcher } from './fuseMatch.ts';
import { requireNorm, type FoundNorm } from './fuseNorm.ts';

/** One block of a foreign decoder. */
export interface FoundBlock {
  readonly attentionNorm: FoundNorm;
  readonly attention: FoundAttention;
  readonly o: FoundLinear;
  readonly mlpNorm: FoundNorm;
  /** Gate and up, or one layer that gives both. */
  readonly gateUp: readonly [FoundLinear] | readonly [FoundLinear, FoundLinear];
  readonly down: FoundLinear;
}

/** A decoder of the Llama kind found in a foreign graph. */
export interface FoundDecoder {
  /** The value behind the embedding. */
  readonly embed: string;
  /** The embedding matrix [vocabulary, hidden], where it holds floats. */
  readonly table: Tensor | null;
  readonly blocks: readonly FoundBlock[];
  readonly finalNorm: FoundNorm;
  readonly head: FoundLinear;
}

/** Reads a decoder backwards from its logits; `graph_invalid` where it is of another kind. */
export function findDecoder(match: Matcher, layers: number, headDim: number): FoundDecoder {
  const head = requireLinear(match, 'logits', 'what gives the logits');
  const finalNorm = requireNorm(match, beforeChoice(match, head.input));
  const blocks: FoundBlock[] = [];
  let stream = finalNorm.stream;
  for (let layer = layers - 1; layer >= 0; layer--) {
    const block = findBlock(match, stream, layer, headDim);
    blocks.unshift(block);
    stream = block.attentionNorm.stream;
  }
  if (typeof stream !== 'string') throw unlike('more blocks than caches', stream.join(' + '));
  const embed = match.strip(stream);
  return { embed, table: findTable(match, embed), blocks, finalNorm, head };
}

/** The value from which only some tokens are taken for the logits. */
function beforeChoice(match: Matcher, value: string): string {
  let current = value;
  for (;;) {
    const node = match.op(match.flat(current), 'Gather', 'Slice');
    if (node === null) return current;
    [current] = node.inputs;
  }
}

type Stream = FoundNorm['stream'];

function findBlock(match: Matcher, stream: Stream, layer: number, headDim: number): FoundBlock {
  for (const [update, rest] of orders(match, stream)) {
    const down = matchLinear(match, update);
    const gated = down === null ? null : matchGate(match, down.input);
    if (down === null || gated === null) continue;
    const mlpNorm = requireNorm(match, gated.input);
    requireSame(match, rest, mlpNorm.stream);
    for (const [attended, before] of orders(match, mlpNorm.stream)) {
      const o = matchLinear(match, attended);
      if (o === null) continue;
      const attention = requireAttention(match, o.input, layer, headDim);
      const [first, ...others] = attention.linears;
      const attentionNorm = requireNorm(match, first.input);
      requireSame(match, before, attentionNorm.stream);
      for (const { input } of others) {
        if (input !== first.input) throw unlike('projections of different values', input);
      }
      return { attentionNorm, attention, o, mlpNorm, gateUp: gated.linears, down };
    }
  }
  const value = typeof stream === 'string' ? stream : stream.join(' + ');
  throw unlike(`no attention and gated MLP give the stream behind block ${layer}`, value);
}

/** The two summands of a stream, either of which may be what the last part added. */
function orders(match: Matcher, stream: Stream): [string, string][] {
  if (typeof stream !== 'string') return orderBoth(stream);
  const value = match.strip(stream);
  const node = match.graph.producer(value);
  if (node?.opType === 'Add') return match.pairs(node);
  if (node?.opType === 'SkipSimplifiedLayerNormalization' && node.outputs[3] === value) {
    return match.pairs(node);
  }
  return [];
}

const orderBoth = ([a, b]: readonly [string, string]): [string, string][] => [
  [a, b],
  [b, a],
];

/** Refuses a block whose norm does not read the stream that the block adds to. */
function requireSame(match: Matcher, value: string, stream: Stream): void {
  const whole = match.strip(value);
  if (typeof stream === 'string' && match.strip(stream) === whole) return;
  const node = match.graph.producer(whole);
  const sum = typeof stream === 'string' ? [] : stream;
  const summands = node?.opType === 'Add' || node?.outputs[3] === whole ? node.inputs : [];
  if (sum.length === 2 && sum.every((summand) => summands.slice(0, 2).includes(summand))) return;
  throw unlike('a norm over another stream than its block adds to', value, node);
}

/** SiLU(gate) · up. */
function matchGate(
  match: Matcher,
  value: string,
): { linears: FoundBlock['gateUp']; input: string } | null {
  const product = match.op(match.flat(value), 'Mul');
  if (product === null) return null;
  for (const [active, up] of match.pairs(product)) {
    const gate = matchSilu(match, active);
    if (gate === null) continue;
    const split = match.op(gate, 'Split');
    if (split !== null && match.op(up, 'Split') === split) {
      const gateFirst = split.outputs[0] === match.strip(gate) && split.outputs.length === 2;
      const both = gateFirst ? matchLinear(match, split.inputs[0]) : null;
      return both === null ? null : { linears: [both], input: both.input };
    }
    const first = matchLinear(match, gate);
    const second = matchLinear(match, up);
    if (first === null || second === null || first.input !== second.input) continue;
    return { linears: [first, second], input: first.input };
  }
  return null;
}

/** The value that SiLU is applied to: x · sigmoid(x). */
function matchSilu(match: Matcher, value: string): string | null {
  const quick = match.op(value, 'QuickGelu', 'Swish');
  if (quick !== null) {
    const alpha = floatOf(quick, 'alpha', quick.opType === 'QuickGelu' ? 1.702 : 1);
    return alpha === 1 ? quick.inputs[0] : null;
  }
  const product = match.op(value, 'Mul');
  if (product === null) return null;
  for (const [x, gate] of match.pairs(product)) {
    const sigmoid = match.op(gate, 'Sigmoid');
    if (sigmoid !== null && match.strip(sigmoid.inputs[0]) === match.strip(x)) return x;
  }
  return null;
}

function findTable(match: Matcher, embed: string): Tensor | null {
  const gather = match.op(embed, 'Gather', 'GatherBlockQuantized');
  if (gather === null || match.strip(gather.inputs[1]) !== 'input_ids') {
    throw unlike('the stream does not begin with an embedding', embed);
  }
  return gather.opType === 'Gather' ? match.constant(gather.inputs[0]) : null;
}
