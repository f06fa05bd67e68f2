import { LatheError } from '../../../preload/contract/errors.ts';
import { nextTurn } from '../linearAlgebra/multiply.ts';

/** Every pair of tokens is a flow problem of its own: more tokens than this take minutes. */
const MOST_FLOW_TOKENS = 64;

/** Refuses a text that is too long, before its patterns are computed. */
export function checkFlowSize(tokens: number): void {
  if (tokens <= MOST_FLOW_TOKENS) return;
  throw new LatheError(
    'usage',
    `attention flow is computed for ${MOST_FLOW_TOKENS} tokens at most; rollout takes any text: ${tokens}`,
    { value: String(tokens), next: ['shorten-prompt'] },
  );
}

/** Capacities below carry nothing that could be seen. */
const SMALLEST = 1e-9;

/**
 * Attention flow (Abnar and Zuidema 2020, arXiv 2005.00928): the largest flow from each token behind
 * the last layer to each token before the first, through edges of the capacities that
 * `withResidual` gives, the first layer first. [tokens, tokens]; Dinic's algorithm (1970).
 * `usage` for more than 64 tokens.
 */
export async function attentionFlow(
  layers: readonly Float64Array[],
  tokens: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  checkFlowSize(tokens);
  const network = new Network(layers, tokens);
  const flows = new Float64Array(tokens * tokens);
  for (let from = 0; from < tokens; from++) {
    await nextTurn(signal);
    // Nothing leads to later tokens where all layers are causal: those flows are found to be 0 at once.
    for (let to = 0; to < tokens; to++) flows[from * tokens + to] = network.flow(from, to);
  }
  return flows;
}

/** Nodes are tokens between layers: `layer · tokens + token`, layer 0 before the first. */
class Network {
  private readonly tokens: number;
  private readonly depth: number;
  /** Edges in pairs, each with the one back; by node: `first[node] … first[node + 1]` in `order`. */
  private readonly target: number[] = [];
  private readonly capacity: number[] = [];
  private readonly edges: number[][];
  private left: Float64Array;
  private readonly level: Int32Array;
  private readonly next: Int32Array;

  constructor(layers: readonly Float64Array[], tokens: number) {
    this.tokens = tokens;
    this.depth = layers.length;
    const nodes = (layers.length + 1) * tokens;
    this.edges = Array.from({ length: nodes }, () => []);
    for (const [layer, capacities] of layers.entries()) {
      for (let row = 0; row < tokens; row++) {
        for (let column = 0; column < tokens; column++) {
          const capacity = capacities[row * tokens + column];
          if (capacity > SMALLEST) {
            this.connect((layer + 1) * tokens + row, layer * tokens + column, capacity);
          }
        }
      }
    }
    this.left = Float64Array.from(this.capacity);
    this.level = new Int32Array(nodes);
    this.next = new Int32Array(nodes);
  }

  private connect(from: number, to: number, capacity: number): void {
    this.edges[from].push(this.target.push(to) - 1);
    this.capacity.push(capacity);
    this.edges[to].push(this.target.push(from) - 1);
    this.capacity.push(0);
  }

  flow(fromToken: number, toToken: number): number {
    const source = this.depth * this.tokens + fromToken;
    this.left = Float64Array.from(this.capacity);
    let sum = 0;
    while (this.findLevels(source, toToken)) {
      this.next.fill(0);
      for (;;) {
        const pushed = this.push(source, toToken, Infinity);
        if (pushed === 0) break;
        sum += pushed;
      }
    }
    return sum;
  }

  /** Steps from the source over edges that have room; whether the sink is reached. */
  private findLevels(source: number, sink: number): boolean {
    this.level.fill(-1);
    this.level[source] = 0;
    const queue = [source];
    for (const node of queue) {
      if (node === sink) return true;
      for (const edge of this.edges[node]) {
        const to = this.target[edge];
        if (this.left[edge] <= SMALLEST || this.level[to] >= 0) continue;
        this.level[to] = this.level[node] + 1;
        queue.push(to);
      }
    }
    return false;
  }

  /** Pushes what fits along one shortest way; 0 where there is none left. */
  private push(node: number, sink: number, most: number): number {
    if (node === sink) return most;
    const edges = this.edges[node];
    for (; this.next[node] < edges.length; this.next[node]++) {
      const edge = edges[this.next[node]];
      const to = this.target[edge];
      if (this.left[edge] <= SMALLEST || this.level[to] !== this.level[node] + 1) continue;
      const pushed = this.push(to, sink, Math.min(most, this.left[edge]));
      if (pushed === 0) continue;
      this.left[edge] -= pushed;
      this.left[edge ^ 1] += pushed;
      return pushed;
    }
    return 0;
  }
}
