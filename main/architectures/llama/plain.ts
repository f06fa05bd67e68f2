import { int, ints } from '../../onnx/attributes.ts';
import { stack, vector } from '../tensors.ts';
import { attentionScale, blockConfig, type LlamaConfig } from './config.ts';
import {
  pastName,
  presentName,
  type Form,
  type PackedName,
  type Stream,
  type Writing,
} from './form.ts';
import { headName, inLayer, matrices, type MatrixName } from './tensors.ts';

/** The most negative float32: exp of it is 0, and a row of nothing else still has a softmax. */
const MASKED = -3.4028234663852886e38;

/** A matrix of a block, the name of its result, and how the rows of that are split. */
interface Linear {
  readonly matrix: MatrixName;
  readonly output: string;
  readonly split?: readonly number[];
}

/**
 * Primitive operators of ONNX itself, every intermediate value under its hook name. Weights keep
 * the layout [out, in] of their files, which is what Gemm with transB takes.
 */
export class PlainForm implements Form {
  readonly cacheHeadDim: number;
  private readonly writing: Writing;
  private readonly shapes = new Map<string, string>();
  private readonly flattened = new Map<string, string>();
  private rope = { cos: '', sin: '' };
  private allowed = '';

  constructor(writing: Writing) {
    this.writing = writing;
    this.cacheHeadDim = writing.config.headDim;
  }

  inputs(): void {
    const { graph } = this.writing;
    graph.input('position_ids', 'int64', ['batch_size', 'sequence_length']);
    graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
    this.rope = { cos: this.turns('rope.cos'), sin: this.turns('rope.sin') };
    this.allowed = this.mask();
  }

  norm({ value, update }: Stream, names: { weight: string; sum: string; output: string }) {
    const { graph, config, constants, weights } = this.writing;
    const stream = update === null ? value : this.op('Add', [value, update], names.sum);
    const weight = constants.float32(names.weight, () =>
      vector(names.weight, [{ weight: weights(names.weight) }], config.hiddenSize),
    );
    const square = this.op('Pow', [stream, graph.f32Scalar(2)]);
    const [mean] = graph.node('ReduceMean', [square, graph.i64([-1])], {
      attributes: { keepdims: int(1) },
    });
    const scale = this.op('Sqrt', [this.op('Add', [mean, graph.f32Scalar(config.normEpsilon)])]);
    const normalized = this.op('Div', [stream, scale]);
    return { stream, output: this.op('Mul', [normalized, weight], names.output) };
  }

  alias(value: string, name: string): void {
    this.op('Identity', [value], name);
  }

  attention(input: string, layer: number): string {
    const { graph } = this.writing;
    const config = blockConfig(this.writing.config, layer);
    const { heads, keyValueHeads, headDim } = config;
    const hook = (name: string): string => `blocks.${layer}.attn.${name}`;
    const [query, key, value] = this.linears(input, layer, 'self_attn.qkv_proj', [
      { matrix: 'self_attn.q_proj', output: hook('q'), split: [heads, headDim] },
      { matrix: 'self_attn.k_proj', output: hook('k'), split: [keyValueHeads, headDim] },
      { matrix: 'self_attn.v_proj', output: hook('v'), split: [keyValueHeads, headDim] },
    ]);
    const turnedQuery = this.transpose(this.turn(query, hook('rot_q')), [0, 2, 1, 3]);
    const turnedKey = this.transpose(this.turn(key, hook('rot_k')), [0, 2, 1, 3]);
    const keys = this.append(layer, 'key', turnedKey);
    const values = this.append(layer, 'value', this.transpose(value, [0, 2, 1, 3]));
    const raw = this.perKeyHead(turnedQuery, config, (queries) =>
      this.op('MatMul', [queries, this.transpose(keys, [0, 1, 3, 2])]),
    );
    const scaled = this.op('Mul', [raw, graph.f32Scalar(attentionScale(config))]);
    const masked = [this.allowed, scaled, graph.f32Scalar(MASKED)];
    const scores = this.op('Where', masked, hook('scores'));
    const [pattern] = graph.node('Softmax', [scores], {
      outputs: [hook('pattern')],
      attributes: { axis: int(-1) },
    });
    const mixed = this.perKeyHead(pattern, config, (rows) => this.op('MatMul', [rows, values]));
    const z = this.transpose(mixed, [0, 2, 1, 3], hook('z'));
    return this.linear(z, layer, {
      matrix: 'self_attn.o_proj',
      output: `blocks.${layer}.attn_out`,
    });
  }

  mlp(input: string, layer: number): string {
    const hook = (name: string): string => `blocks.${layer}.mlp.${name}`;
    const [gate, up] = this.linears(input, layer, 'mlp.gate_up_proj', [
      { matrix: 'mlp.gate_proj', output: hook('pre') },
      { matrix: 'mlp.up_proj', output: hook('pre_linear') },
    ]);
    const silu = this.op('Mul', [gate, this.op('Sigmoid', [gate])]);
    const post = this.op('Mul', [silu, up], hook('post'));
    return this.linear(post, layer, {
      matrix: 'mlp.down_proj',
      output: `blocks.${layer}.mlp_out`,
    });
  }

  logits(input: string, output: string): string {
    const { config, constants, weights } = this.writing;
    const { vocabularySize, hiddenSize } = config;
    const name = headName(config);
    const matrix = constants.float32(name, () =>
      stack(name, [{ weight: weights(name) }], [vocabularySize, hiddenSize]),
    );
    return this.gemm(input, hiddenSize, [matrix], this.shapeLike(input, [vocabularySize]), output);
  }

  firstOutputs(): void {}

  /** Matrices over the same input, one by one, or as the one that is given for all of them. */
  private linears(input: string, layer: number, packed: PackedName, wanted: Linear[]): string[] {
    const { graph, config, given } = this.writing;
    const whole = given.linear?.(layer, packed);
    if (whole === undefined) return wanted.map((linear) => this.linear(input, layer, linear));
    const sizes = matrices(blockConfig(config, layer));
    const rows = wanted.map(({ matrix }) => sizes[matrix].rows);
    const outputs = wanted.map(({ output, split }, part) =>
      split === undefined ? output : `blocks.${layer}.${packed}:${part}`,
    );
    const attributes = { axis: int(-1) };
    graph.node('Split', [whole(graph, input), graph.i64(rows)], { outputs, attributes });
    return wanted.map(({ output, split }, part) =>
      split === undefined ? output : this.op('Reshape', [outputs[part], this.rows(split)], output),
    );
  }

  /** One matrix of a block over `input`. */
  private linear(input: string, layer: number, { matrix, output, split }: Linear): string {
    const { graph, config, constants, weights, given } = this.writing;
    const { rows, columns, bias } = matrices(blockConfig(config, layer))[matrix];
    const found = given.linear?.(layer, matrix);
    if (found !== undefined) {
      // Heads may still stand apart: back to [batch, tokens, columns].
      const whole = this.reshape(input, graph.i64([0, 0, columns]));
      if (split === undefined) return found(graph, whole, output);
      return this.op('Reshape', [found(graph, whole), this.rows(split)], output);
    }
    const weightName = inLayer(layer, `${matrix}.weight`);
    const biasName = inLayer(layer, `${matrix}.bias`);
    const operands = [
      constants.float32(weightName, () =>
        stack(weightName, [{ weight: weights(weightName) }], [rows, columns]),
      ),
    ];
    if (bias) {
      operands.push(
        constants.float32(biasName, () => vector(biasName, [{ weight: weights(biasName) }], rows)),
      );
    }
    const shape = this.rows(split ?? [rows]);
    return this.gemm(input, columns, operands, shape, output);
  }

  /** Gemm over the rows of `input` flattened to [tokens, columns], then back to `shape`. */
  private gemm(
    input: string,
    columns: number,
    operands: readonly string[],
    shape: string,
    output: string,
  ): string {
    const { graph } = this.writing;
    const flat = this.flattened.get(input) ?? this.reshape(input, graph.i64([-1, columns]));
    this.flattened.set(input, flat);
    const [rows] = graph.node('Gemm', [flat, ...operands], { attributes: { transB: int(1) } });
    return this.op('Reshape', [rows, shape], output);
  }

  /** The shape [batch, tokens, …rest] of the values inside a block. */
  private rows(rest: readonly number[]): string {
    return this.shapeLike('input_ids', rest);
  }

  /** The shape [batch, tokens, …rest], batch and tokens as `value` has them. */
  private shapeLike(value: string, rest: readonly number[]): string {
    const { graph } = this.writing;
    const key = `${value}:${rest.join(',')}`;
    const known = this.shapes.get(key);
    if (known !== undefined) return known;
    const [sizes] = graph.node('Shape', [value], { attributes: { end: int(2) } });
    const [shape] = graph.node('Concat', [sizes, graph.i64(rest)], {
      attributes: { axis: int(0) },
    });
    this.shapes.set(key, shape);
    return shape;
  }

  /** Rows of a table of angles for every new token, [batch, sequence, 1, headDim / 2]. */
  private turns(table: string): string {
    const { graph } = this.writing;
    return this.op('Unsqueeze', [this.op('Gather', [table, 'position_ids']), graph.i64([2])]);
  }

  /** Rotary embedding: element i and element i + half of each head are turned as a pair. */
  private turn(heads: string, output: string): string {
    const { graph } = this.writing;
    const { cos, sin } = this.rope;
    const [first, second] = graph.node('Split', [heads], {
      outputs: 2,
      attributes: { axis: int(-1), num_outputs: int(2) },
    });
    const left = this.op('Sub', [this.op('Mul', [first, cos]), this.op('Mul', [second, sin])]);
    const right = this.op('Add', [this.op('Mul', [second, cos]), this.op('Mul', [first, sin])]);
    return this.concat([left, right], -1, output);
  }

  /** The cache of a layer with the new tokens behind it, [batch, heads, total, headDim]. */
  private append(layer: number, what: 'key' | 'value', heads: string): string {
    return this.concat([pastName(layer, what), heads], 2, presentName(layer, what));
  }

  /**
   * Applies `product` per key and value head to [batch, heads, rows, …]: the query heads of a group
   * stand one below the other, so that no key is repeated.
   */
  private perKeyHead(
    value: string,
    config: LlamaConfig,
    product: (rows: string) => string,
  ): string {
    const { graph } = this.writing;
    if (config.heads === config.keyValueHeads) return product(value);
    const grouped = this.reshape(value, graph.i64([0, config.keyValueHeads, -1, 0]));
    return this.reshape(product(grouped), graph.i64([0, config.heads, -1, 0]));
  }

  /** Which keys each new token may look at: [batch, 1, sequence, total]; none behind it, no padding. */
  private mask(): string {
    const { graph } = this.writing;
    const size = (value: string): string =>
      this.op('Gather', [this.op('Shape', [value]), graph.i64Scalar(1)]);
    const total = size('attention_mask');
    const one = graph.i64Scalar(1);
    const keys = this.op('Range', [graph.i64Scalar(0), total, one]);
    const past = this.op('Sub', [total, size('input_ids')]);
    const queries = this.op('Unsqueeze', [this.op('Range', [past, total, one]), graph.i64([1])]);
    const causal = this.op('LessOrEqual', [keys, queries]);
    const padding = this.op('Unsqueeze', ['attention_mask', graph.i64([1, 2])]);
    return this.op('And', [causal, this.op('Greater', [padding, graph.i64Scalar(0)])]);
  }

  private transpose(value: string, order: readonly number[], output?: string): string {
    return this.op('Transpose', [value], output, { perm: ints(order) });
  }

  private concat(values: readonly string[], axis: number, output: string): string {
    return this.op('Concat', values, output, { axis: int(axis) });
  }

  private reshape(value: string, shape: string): string {
    return this.op('Reshape', [value, shape]);
  }

  /** A node of one output. */
  private op(
    opType: string,
    inputs: readonly string[],
    output?: string,
    attributes: NonNullable<Parameters<Writing['graph']['node']>[2]>['attributes'] = {},
  ): string {
    const outputs = output === undefined ? {} : { outputs: [output] };
    return this.writing.graph.node(opType, inputs, { ...outputs, attributes })[0];
  }
}
