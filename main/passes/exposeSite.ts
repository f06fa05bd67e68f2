import { LatheError } from '../../preload/contract/errors.ts';
import type { Node, ValueInfo } from '../onnx/model.ts';
import { MASKED, type AddedNodes } from './addedNodes.ts';
import type { AttentionSite, Exposure } from './exposeAttention.ts';
import type { GraphIndex } from './graphIndex.ts';

/** Names of the values that one attention shows: `blocks.3.attn.pattern`. */
export class SiteNames {
  readonly prefix: string;
  private readonly graph: GraphIndex;

  constructor(graph: GraphIndex, layer: number) {
    this.graph = graph;
    this.prefix = `blocks.${layer}.attn`;
  }

  /** The hook's own name; another where the graph has a value of this name already. */
  of(hook: string): string {
    const name = `${this.prefix}.${hook}`;
    return this.graph.producer(name) === undefined ? name : `${name}:added`;
  }

  /** The input that switches heads off, in the type of the value it is multiplied with. */
  keepLike(added: AddedNodes, value: string): string {
    const keep = this.of('keep');
    const opset = this.graph.model.opsets.get('') ?? 0;
    return opset < CAST_LIKE ? keep : added.op('CastLike', [keep, value]);
  }
}

/** The opset that has the operator; graphs of other types than float32 are not older. */
const CAST_LIKE = 15;

/** `graph_invalid` for an attention that is recognised but not understood. */
export function unsupportedAttention(what: string, node: Node): LatheError {
  return new LatheError(
    'graph_invalid',
    `the attention of this graph cannot be shown: ${what}: ${node.opType} ${node.name}`,
    { node: node.name, value: node.opType, next: ['choose-model'] },
  );
}

/** Which keys each row may look at, bool [rows, keys]: none behind it, none before the window. */
export function causal(added: AddedNodes, positions: string, keyCount: string, window = 0): string {
  const rows = added.op('Unsqueeze', [positions, added.i64([1])]);
  const keys = added.range(added.i64([0], []), keyCount);
  const before = added.op('LessOrEqual', [keys, rows]);
  if (window === 0) return before;
  const first = added.op('Sub', [rows, added.i64([window], [])]);
  return added.op('And', [before, added.op('Greater', [keys, first])]);
}

/** Positions of the newest rows among all keys, int64 [rows]. */
export function newestPositions(added: AddedNodes, rows: string, keys: string): string {
  return added.range(added.op('Sub', [keys, rows]), keys);
}

/** cap · tanh(scores / cap). */
export function capped(added: AddedNodes, scores: string, cap: number): string {
  if (cap === 0) return scores;
  const share = added.op('Tanh', [added.op('Div', [scores, added.f32(cap)])]);
  return added.op('Mul', [share, added.f32(cap)]);
}

/** Scores where they are allowed, else the most negative number. */
export function masked(
  added: AddedNodes,
  allowed: string,
  scores: string,
  output?: string,
): string {
  return added.op('Where', [allowed, scores, added.f32(MASKED)], { output });
}

/** A switch for every head on [batch, rows, heads · size]: `output` times `keep`. */
export function switchTokens(
  added: AddedNodes,
  output: string,
  names: SiteNames,
  heads: number,
): SwitchedHeads {
  const first = added.nodes.length;
  const keep = names.of('keep');
  const apart = added.reshape(output, [0, 0, heads, -1]);
  const kept = added.op('Mul', [apart, names.keepLike(added, apart)]);
  const to = added.reshape(kept, [0, 0, -1], names.of('z'));
  const nodes = added.nodes.splice(first);
  return switchedBy(keep, [heads, 1], { from: output, to, nodes });
}

type SwitchedHeads = Pick<Exposure, 'switched' | 'inputs'> &
  Pick<AttentionSite, 'keep' | 'keepRank'>;

/** What belongs to a switch: its input, and where it stands. */
export function switchedBy(
  keep: string,
  shape: readonly [number | 'heads', ...number[]],
  switched: Exposure['switched'],
): SwitchedHeads {
  const input: ValueInfo = {
    name: keep,
    type: { kind: 'tensor', dataType: 'float32', shape },
  };
  return { keep, keepRank: shape.length, switched, inputs: [input] };
}
