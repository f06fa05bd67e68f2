import { float, int, ints, tensorValue } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import type { AttributeValue, Model } from '../../main/onnx/model.ts';
import { lazyTensor, tensorOf, type Tensor } from '../../main/onnx/tensor.ts';
import type { NamedTensors } from '../../main/formats/namedTensors.ts';
import { toFloat16Bits } from '../../main/numeric/float16.ts';
import { toFloat32 } from '../../main/numeric/floats.ts';
import { ropeTables } from '../../main/architectures/llama/rope.ts';

/** How a decoder is written; each is a way that published exporters write. */
export interface ExportStyle {
  /** Primitive operators (torch.onnx), or onnxruntime's own (its transformer optimiser). */
  norm: 'primitive' | 'reciprocal' | 'operator' | 'skip';
  attention: 'eager' | 'sdpa' | 'grouped' | 'groupedPacked' | 'groupedOutsideRope';
  /**
   * How matrices are stored: [K, N] for MatMul, [N, K] transposed in the graph, or 4-bit codes,
   * multiplied in float32 or float16.
   */
  linear: 'matmul' | 'transpose' | 'nbits' | 'nbits16';
  /** Angles computed from frequencies, or looked up. Only for primitive attention. */
  angles?: 'computed' | 'tables';
  /** Logits of the last token only. */
  lastOnly?: boolean;
}

/** Writes the weights of a tiny model as an exporter of this style would. */
export function exportDecoder(
  config: Record<string, unknown>,
  tensors: NamedTensors,
  style: ExportStyle,
): Model {
  return new Exporter(config, tensors, style).write();
}

const MICROSOFT = 'com.microsoft';

class Exporter {
  private readonly graph = new GraphBuilder({ name: 'main_graph', opset: 18, msOpset: true });
  private readonly tensors: NamedTensors;
  private readonly style: ExportStyle;
  private readonly sizes;
  private angles = { cos: '', sin: '' };
  private mask = '';
  private lengths = { last: '', total: '' };
  private count = 0;

  constructor(config: Record<string, unknown>, tensors: NamedTensors, style: ExportStyle) {
    const field = (name: string): number => Number(config[name]);
    this.tensors = tensors;
    this.style = style;
    const heads = field('num_attention_heads');
    const hidden = field('hidden_size');
    this.sizes = {
      hidden,
      heads,
      layers: field('num_hidden_layers'),
      kvHeads: Number(config['num_key_value_heads'] ?? heads),
      headDim: Number(config['head_dim'] ?? hidden / heads),
      vocabulary: field('vocab_size'),
      positions: field('max_position_embeddings'),
      tied: config['tie_word_embeddings'] === true,
    };
  }

  write(): Model {
    const { graph, sizes } = this;
    const { layers, kvHeads, headDim, vocabulary } = sizes;
    graph.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
    graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
    graph.input('position_ids', 'int64', ['batch_size', 'sequence_length']);
    for (let layer = 0; layer < layers; layer++) {
      for (const what of ['key', 'value']) {
        const shape = ['batch_size', kvHeads, 'past_sequence_length', headDim];
        graph.input(`past_key_values.${layer}.${what}`, 'float32', shape);
      }
    }
    if (this.style.attention.startsWith('grouped')) this.writeLengths();
    else this.writeMask();
    this.writeAngles();
    const table = graph.initializer(this.floats('model.embed_tokens.weight'));
    let stream = this.op('Gather', [table, 'input_ids']);
    let update: string | null = null;
    for (let layer = 0; layer < layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const first = this.norm(stream, update, `${prefix}.input_layernorm.weight`);
      const attended = this.attention(first.output, layer, `${prefix}.self_attn`);
      const second = this.norm(first.stream, attended, `${prefix}.post_attention_layernorm.weight`);
      stream = second.stream;
      update = this.mlp(second.output, `${prefix}.mlp`);
    }
    let last = this.norm(stream, update, 'model.norm.weight').output;
    if (this.style.lastOnly === true) {
      last = this.op('Gather', [last, graph.i64([-1])], { axis: int(1) });
    }
    this.linear(last, sizes.tied ? 'model.embed_tokens' : 'lm_head', 'logits');
    graph.output('logits', 'float32', ['batch_size', 'logits_count', vocabulary]);
    for (let layer = 0; layer < layers; layer++) {
      for (const what of ['key', 'value']) {
        const shape = ['batch_size', kvHeads, 'total_sequence_length', headDim];
        graph.output(`present.${layer}.${what}`, 'float32', shape);
      }
    }
    return graph.finish();
  }

  /** What GroupQueryAttention wants to know, computed from the mask. */
  private writeLengths(): void {
    const { graph } = this;
    const sum = this.op('ReduceSum', ['attention_mask', graph.i64([1])], { keepdims: int(0) });
    const last = this.op('Sub', [sum, graph.i64([1])]);
    const shape = this.op('Shape', ['attention_mask']);
    const total = this.op('Gather', [shape, graph.i64Scalar(1)]);
    const to = { to: int(6) };
    this.lengths = { last: this.op('Cast', [last], to), total: this.op('Cast', [total], to) };
  }

  /** 0 where a token may look, -3.4e38 where it may not; [batch, 1, sequence, total]. */
  private writeMask(): void {
    const { graph } = this;
    const shape = this.op('Shape', ['attention_mask']);
    const total = this.op('Gather', [shape, graph.i64Scalar(1)]);
    const keys = this.op('Range', [graph.i64Scalar(0), total, graph.i64Scalar(1)]);
    const queries = this.op('Unsqueeze', ['position_ids', graph.i64([1, 3])]);
    const later = this.op('Greater', [keys, queries]);
    const padding = this.op('Unsqueeze', ['attention_mask', graph.i64([1, 2])]);
    const empty = this.op('Equal', [padding, graph.i64Scalar(0)]);
    const bad = this.op('Or', [later, empty]);
    this.mask = this.op('Where', [bad, graph.f32Scalar(-3.4e38), graph.f32Scalar(0)]);
  }

  private writeAngles(): void {
    const { graph, sizes } = this;
    const { headDim, positions } = sizes;
    const pairs = headDim / 2;
    const { cos, sin } = ropeTables({ kind: 'default', theta: 10_000 }, headDim, positions);
    if (this.style.attention.startsWith('grouped')) {
      this.angles = {
        cos: graph.initializer(tensorOf('cos_cache', [positions, pairs], cos)),
        sin: graph.initializer(tensorOf('sin_cache', [positions, pairs], sin)),
      };
      return;
    }
    const axes = graph.i64([1]);
    if (this.style.angles === 'tables') {
      const twice = (name: string, table: Float32Array): string => {
        const values = Float32Array.from({ length: positions * headDim }, (_, at) => {
          const row = Math.floor(at / headDim);
          return table[row * pairs + (at % pairs)];
        });
        const wide = graph.initializer(tensorOf(name, [positions, headDim], values));
        return this.op('Unsqueeze', [this.op('Gather', [wide, 'position_ids']), axes]);
      };
      this.angles = { cos: twice('cos_cached', cos), sin: twice('sin_cached', sin) };
      return;
    }
    const inverse = Float32Array.from({ length: pairs }, (_, pair) => 10_000 ** (-pair / pairs));
    const frequencies = graph.initializer(tensorOf('inv_freq', [1, pairs, 1], inverse));
    // Torch writes expand(1, -1, 1) so that -1 keeps a size.
    const value = tensorValue(tensorOf('one', [1], BigInt64Array.of(1n)));
    const ones = this.op('ConstantOfShape', [graph.i64([3])], { value });
    const kept = this.op('Equal', [
      graph.i64([1, -1, 1]),
      this.op('Mul', [ones, graph.i64Scalar(-1)]),
    ]);
    const shape = this.op('Where', [kept, ones, graph.i64([1, -1, 1])]);
    const column = this.op('Expand', [frequencies, shape]);
    const position = this.op('Cast', [this.op('Unsqueeze', ['position_ids', axes])], {
      to: int(1),
    });
    const angles = this.op('Transpose', [this.op('MatMul', [column, position])], {
      perm: ints([0, 2, 1]),
    });
    const both = this.op('Concat', [angles, angles], { axis: int(-1) });
    const one = graph.f32Scalar(1);
    const heads = (opType: string): string =>
      this.op('Unsqueeze', [this.op('Mul', [this.op(opType, [both]), one]), axes]);
    this.angles = { cos: heads('Cos'), sin: heads('Sin') };
  }

  private norm(
    value: string,
    update: string | null,
    name: string,
  ): { stream: string; output: string } {
    const { graph } = this;
    const weight = graph.initializer(this.floats(name));
    const epsilon = 1e-5;
    if (this.style.norm === 'skip' && update !== null) {
      const [output, , , stream] = graph.node(
        'SkipSimplifiedLayerNormalization',
        [value, update, weight],
        {
          outputs: [`skip_${++this.count}`, '', '', `sum_${this.count}`],
          attributes: { epsilon: float(epsilon) },
          domain: MICROSOFT,
        },
      );
      return { stream, output };
    }
    const stream = update === null ? value : this.op('Add', [value, update]);
    if (this.style.norm === 'operator' || this.style.norm === 'skip') {
      const attributes = { epsilon: float(epsilon), axis: int(-1), stash_type: int(1) };
      return {
        stream,
        output: this.op('SimplifiedLayerNormalization', [stream, weight], attributes),
      };
    }
    const square = this.op('Pow', [stream, graph.f32Scalar(2)]);
    const mean = this.op('ReduceMean', [square, graph.i64([-1])], { keepdims: int(1) });
    const root = this.op('Sqrt', [this.op('Add', [mean, graph.f32Scalar(epsilon)])]);
    const normalized =
      this.style.norm === 'reciprocal'
        ? this.op('Mul', [stream, this.op('Div', [graph.f32Scalar(1), root])])
        : this.op('Div', [stream, root]);
    return { stream, output: this.op('Mul', [weight, normalized]) };
  }

  private attention(input: string, layer: number, prefix: string): string {
    const { heads, headDim } = this.sizes;
    const mixed = this.style.attention.startsWith('grouped')
      ? this.grouped(input, layer, prefix)
      : this.op('Reshape', [
          this.op('Transpose', [this.primitive(input, layer, prefix)], {
            perm: ints([0, 2, 1, 3]),
          }),
          this.graph.i64([0, 0, heads * headDim]),
        ]);
    return this.linear(mixed, `${prefix}.o_proj`);
  }

  private grouped(input: string, layer: number, prefix: string): string {
    const { graph, sizes } = this;
    const { heads, kvHeads, headDim } = sizes;
    const { attention } = this.style;
    const outside = attention === 'groupedOutsideRope';
    const names = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${prefix}.${name}`);
    const projected =
      attention === 'groupedPacked'
        ? [this.packed(input, names, `${prefix}.qkv_proj`), '', '']
        : names.map((name) => this.linear(input, name));
    const { cos, sin } = this.angles;
    const turn = (value: string): string =>
      this.op('RotaryEmbedding', [value, 'position_ids', cos, sin], {}, MICROSOFT);
    const [query, key, value] = outside
      ? [turn(projected[0]), turn(projected[1]), projected[2]]
      : projected;
    const past = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`];
    const { last, total } = this.lengths;
    return graph.node(
      'GroupQueryAttention',
      [query, key, value, ...past, last, total, ...(outside ? [] : [cos, sin])],
      {
        outputs: [`attention_${layer}`, `present.${layer}.key`, `present.${layer}.value`],
        attributes: {
          num_heads: int(heads),
          kv_num_heads: int(kvHeads),
          scale: float(1 / Math.sqrt(headDim)),
          do_rotary: int(outside ? 0 : 1),
        },
        domain: MICROSOFT,
      },
    )[0];
  }

  private primitive(input: string, layer: number, prefix: string): string {
    const { graph, sizes } = this;
    const { heads, kvHeads, headDim } = sizes;
    const split = (name: string, count: number): string =>
      this.op(
        'Transpose',
        [
          this.op('Reshape', [
            this.linear(input, `${prefix}.${name}`),
            graph.i64([0, 0, count, headDim]),
          ]),
        ],
        { perm: ints([0, 2, 1, 3]) },
      );
    const query = this.turn(split('q_proj', heads));
    const append = (what: string, value: string): string => {
      const outputs = [`present.${layer}.${what}`];
      const attributes = { axis: int(2) };
      const inputs = [`past_key_values.${layer}.${what}`, value];
      return graph.node('Concat', inputs, { outputs, attributes })[0];
    };
    const key = this.repeat(append('key', this.turn(split('k_proj', kvHeads))));
    const value = this.repeat(append('value', split('v_proj', kvHeads)));
    const transposed = this.op('Transpose', [key], { perm: ints([0, 1, 3, 2]) });
    if (this.style.attention === 'eager') {
      const scores = this.op('MatMul', [query, transposed]);
      const scaled = this.op('Div', [scores, graph.f32Scalar(Math.sqrt(headDim))]);
      const pattern = this.op('Softmax', [this.op('Add', [scaled, this.mask])], { axis: int(-1) });
      return this.op('MatMul', [pattern, value]);
    }
    // Torch computes the root of the scale from the shape of the queries.
    const shape = this.op('Shape', [query]);
    const size = this.op('Slice', [shape, graph.i64([-1]), graph.i64([2 ** 31])]);
    const root = this.op('Sqrt', [this.op('Cast', [size], { to: int(1) })]);
    const share = this.op('Sqrt', [this.op('Div', [graph.f32Scalar(1), root])]);
    const scores = this.op('MatMul', [
      this.op('Mul', [query, share]),
      this.op('Mul', [transposed, share]),
    ]);
    const pattern = this.op('Softmax', [this.op('Add', [scores, this.mask])], { axis: int(-1) });
    const safe = this.op('Where', [this.op('IsNaN', [pattern]), graph.f32Scalar(0), pattern]);
    return this.op('MatMul', [safe, value]);
  }

  /** x · cos + rotate(x) · sin. */
  private turn(value: string): string {
    const { graph } = this;
    const half = this.sizes.headDim / 2;
    const slice = (from: number, to: number): string =>
      this.op('Slice', [value, graph.i64([from]), graph.i64([to]), graph.i64([3]), graph.i64([1])]);
    const turned = this.op('Concat', [this.op('Neg', [slice(half, 2 ** 40)]), slice(0, half)], {
      axis: int(-1),
    });
    const { cos, sin } = this.angles;
    return this.op('Add', [this.op('Mul', [value, cos]), this.op('Mul', [turned, sin])]);
  }

  /** Every key-value head once for each query head of its group. */
  private repeat(value: string): string {
    const { graph, sizes } = this;
    const { heads, kvHeads, headDim } = sizes;
    if (heads === kvHeads) return value;
    const wide = this.op('Unsqueeze', [value, graph.i64([2])]);
    const many = this.op('Expand', [wide, graph.i64([1, 1, heads / kvHeads, 1, 1])]);
    return this.op('Reshape', [many, graph.i64([0, heads, -1, headDim])]);
  }

  private mlp(input: string, prefix: string): string {
    const gate = this.linear(input, `${prefix}.gate_proj`);
    const up = this.linear(input, `${prefix}.up_proj`);
    const silu = this.op('Mul', [gate, this.op('Sigmoid', [gate])]);
    return this.linear(this.op('Mul', [silu, up]), `${prefix}.down_proj`);
  }

  private linear(input: string, name: string, output?: string): string {
    const { values, dims } = this.matrix(`${name}.weight`);
    const bias = this.tensors.get(`${name}.bias`) === undefined ? null : `${name}.bias`;
    const product = this.product(input, name, values, dims, bias === null ? output : undefined);
    if (bias === null) return product;
    const vector = this.graph.initializer(this.floats(bias));
    return this.graph.node(
      'Add',
      [vector, product],
      output === undefined ? {} : { outputs: [output] },
    )[0];
  }

  private packed(input: string, names: readonly string[], name: string): string {
    const matrices = names.map((one) => this.matrix(`${one}.weight`));
    const values = Float32Array.from(matrices.flatMap((matrix) => [...matrix.values]));
    const rows = matrices.reduce((sum, { dims }) => sum + dims[0], 0);
    const product = this.product(input, name, values, [rows, matrices[0].dims[1]]);
    if (this.tensors.get(`${names[0]}.bias`) === undefined) return product;
    const biases = names.flatMap((one) => [...this.matrix(`${one}.bias`).values]);
    const bias = tensorOf(`${name}.bias`, [rows], Float32Array.from(biases));
    return this.op('Add', [product, this.graph.initializer(bias)]);
  }

  private product(
    input: string,
    name: string,
    values: Float32Array,
    [rows, columns]: readonly number[],
    output?: string,
  ): string {
    const { graph } = this;
    const outputs = output === undefined ? {} : { outputs: [output] };
    switch (this.style.linear) {
      case 'transpose': {
        const weight = graph.initializer(this.floats(`${name}.weight`, values, [rows, columns]));
        const turned = this.op('Transpose', [weight], { perm: ints([1, 0]) });
        return graph.node('MatMul', [input, turned], outputs)[0];
      }
      case 'nbits16':
      case 'nbits': {
        const half = this.style.linear === 'nbits16';
        const weight = tensorOf(`${name}_Q4`, [rows, columns / 32, 16], nibbles(values));
        const wide = tensorOf(`${name}_scales`, [rows * (columns / 32)], scalesOf(values));
        const scales = half ? halved(wide) : wide;
        const operand = half ? this.op('Cast', [input], { to: int(10) }) : input;
        const [product] = graph.node(
          'MatMulNBits',
          [operand, graph.initializer(weight), graph.initializer(scales)],
          {
            ...(half ? {} : outputs),
            attributes: {
              K: int(columns),
              N: int(rows),
              bits: int(4),
              block_size: int(32),
              accuracy_level: int(1),
            },
            domain: MICROSOFT,
          },
        );
        const attributes = { to: int(1) };
        return half ? graph.node('Cast', [product], { ...outputs, attributes })[0] : product;
      }
      case 'matmul': {
        const turned = Float32Array.from(values, (_, at) => {
          const [row, column] = [Math.floor(at / rows), at % rows];
          return values[column * columns + row];
        });
        const weight = tensorOf(`onnx::MatMul_${++this.count}`, [columns, rows], turned);
        return graph.node('MatMul', [input, graph.initializer(weight)], outputs)[0];
      }
    }
  }

  private readonly known = new Map<string, Tensor>();

  /** A weight as a constant, made once. */
  private floats(name: string, values?: Float32Array, dims?: readonly number[]): Tensor {
    const found = this.known.get(name);
    if (found !== undefined) return found;
    const stored = values === undefined ? this.matrix(name) : { values, dims: dims ?? [] };
    const tensor = tensorOf(name, stored.dims, stored.values);
    this.known.set(name, tensor);
    return tensor;
  }

  private matrix(name: string): { values: Float32Array; dims: readonly number[] } {
    const tensor = this.tensors.get(name);
    if (tensor?.dataType !== 'float32') throw new Error(`no such float32 tensor: ${name}`);
    return { values: toFloat32('float32', tensor.read()), dims: tensor.shape };
  }

  private op(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): string {
    return this.graph.node(opType, inputs, { attributes, domain })[0];
  }
}

/** 4-bit codes around 8 in groups of 32, two to a byte, the first in the lower half. */
function nibbles(values: Float32Array): Uint8Array {
  const scales = scalesOf(values);
  const code = (at: number): number =>
    Math.min(15, Math.max(0, Math.round(values[at] / scales[Math.floor(at / 32)]) + 8));
  return Uint8Array.from(
    { length: values.length / 2 },
    (_, byte) => code(2 * byte) | (code(2 * byte + 1) << 4),
  );
}

function scalesOf(values: Float32Array): Float32Array {
  return Float32Array.from(
    { length: values.length / 32 },
    (_, group) => Math.max(...values.subarray(group * 32, group * 32 + 32).map(Math.abs)) / 7,
  );
}

/** The same constant in float16. */
function halved({ name, dims, bytes }: Tensor): Tensor {
  const values = new Float32Array(new Uint8Array(bytes.read()).buffer);
  const halves = new Uint8Array(Uint16Array.from(values, toFloat16Bits).buffer);
  return lazyTensor(name, 'float16', dims, () => halves);
}
