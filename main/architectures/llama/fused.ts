import { float, int } from '../../onnx/attributes.ts';
import { stack, vector, type Part, type Rearrange } from '../tensors.ts';
import { attentionScale, blockConfig } from './config.ts';
import {
  pastName,
  presentName,
  type Form,
  type PackedName,
  type Stream,
  type Writing,
} from './form.ts';
import { padColumns, padRows, padTurnedRows, paddedHeadDim } from './headPadding.ts';
import { headName, inLayer, matrices, type MatrixName } from './tensors.ts';

const MICROSOFT = 'com.microsoft';

/** Matrices of a block, one below the other, as one matrix of `shape`. */
interface Linear {
  readonly name: MatrixName | PackedName;
  readonly pieces: readonly Piece[];
  readonly shape: readonly [number, number];
  readonly output?: string;
}

/** A matrix of a block, with what is to be done to its rows or columns. */
interface Piece {
  readonly matrix: MatrixName;
  readonly weight?: Rearrange | undefined;
  readonly bias?: Rearrange | undefined;
}

/**
 * onnxruntime's own operators in the order that measured fastest: one product for queries, keys and
 * values, one for gate and up, GroupQueryAttention with rotary embedding and cache inside, and the
 * residual sum together with the norm. Weights keep the layout [out, in] of their files: FusedMatMul
 * with transB decodes as fast as MatMul over a transposed copy.
 */
export class FusedForm implements Form {
  readonly cacheHeadDim: number;
  private readonly writing: Writing;

  constructor(writing: Writing) {
    this.writing = writing;
    this.cacheHeadDim = paddedHeadDim(writing.config);
  }

  inputs(): void {
    const { graph } = this.writing;
    graph.input('seqlens_k', 'int32', ['batch_size']);
    graph.input('total_sequence_length', 'int32', []);
  }

  norm({ value, update }: Stream, names: { weight: string; sum: string; output: string }) {
    const { graph, config, constants, weights } = this.writing;
    const weight = constants.float32(names.weight, () =>
      vector(names.weight, [{ weight: weights(names.weight) }], config.hiddenSize),
    );
    const epsilon = float(config.normEpsilon);
    if (update === null) {
      const attributes = { axis: int(-1), epsilon, stash_type: int(1) };
      const outputs = [names.output];
      graph.node('SimplifiedLayerNormalization', [value, weight], { outputs, attributes });
      return { stream: value, output: names.output };
    }
    graph.node('SkipSimplifiedLayerNormalization', [value, update, weight], {
      outputs: [names.output, '', '', names.sum],
      attributes: { epsilon },
      domain: MICROSOFT,
    });
    return { stream: names.sum, output: names.output };
  }

  alias(): void {}

  attention(input: string, layer: number): string {
    const { graph } = this.writing;
    const config = blockConfig(this.writing.config, layer);
    const { hiddenSize, heads, keyValueHeads } = config;
    const turned = { weight: padTurnedRows(config, hiddenSize), bias: padTurnedRows(config, 1) };
    const straight = { weight: padRows(config, hiddenSize), bias: padRows(config, 1) };
    const packed = this.linear(input, layer, {
      name: 'self_attn.qkv_proj',
      pieces: [
        { matrix: 'self_attn.q_proj', ...turned },
        { matrix: 'self_attn.k_proj', ...turned },
        { matrix: 'self_attn.v_proj', ...straight },
      ],
      shape: [(heads + 2 * keyValueHeads) * this.cacheHeadDim, hiddenSize],
    });
    const past = [pastName(layer, 'key'), pastName(layer, 'value')];
    const lengths = ['seqlens_k', 'total_sequence_length'];
    const operands = [packed, '', '', ...past, ...lengths, 'rope.cos', 'rope.sin'];
    const [mixed] = graph.node('GroupQueryAttention', operands, {
      outputs: [
        `blocks.${layer}.attn.heads`,
        presentName(layer, 'key'),
        presentName(layer, 'value'),
      ],
      attributes: {
        num_heads: int(heads),
        kv_num_heads: int(keyValueHeads),
        do_rotary: int(1),
        rotary_interleaved: int(0),
        // Given, because padding makes heads look larger than they are.
        scale: float(attentionScale(config)),
      },
      domain: MICROSOFT,
    });
    return this.linear(mixed, layer, {
      name: 'self_attn.o_proj',
      pieces: [{ matrix: 'self_attn.o_proj', weight: padColumns(config) }],
      shape: [hiddenSize, heads * this.cacheHeadDim],
      output: `blocks.${layer}.attn_out`,
    });
  }

  mlp(input: string, layer: number): string {
    const { graph, config } = this.writing;
    const { hiddenSize, intermediateSize } = blockConfig(config, layer);
    const hook = (name: string): string => `blocks.${layer}.mlp.${name}`;
    const both = this.linear(input, layer, {
      name: 'mlp.gate_up_proj',
      pieces: [{ matrix: 'mlp.gate_proj' }, { matrix: 'mlp.up_proj' }],
      shape: [2 * intermediateSize, hiddenSize],
    });
    const [gate, up] = graph.node('Split', [both], {
      outputs: [hook('pre'), hook('pre_linear')],
      attributes: { axis: int(-1), num_outputs: int(2) },
    });
    // QuickGelu is x * sigmoid(alpha * x): SiLU where alpha is 1.
    const [silu] = graph.node('QuickGelu', [gate], {
      attributes: { alpha: float(1) },
      domain: MICROSOFT,
    });
    const [post] = graph.node('Mul', [silu, up], { outputs: [hook('post')] });
    return this.linear(post, layer, {
      name: 'mlp.down_proj',
      pieces: [{ matrix: 'mlp.down_proj' }],
      shape: [hiddenSize, intermediateSize],
      output: `blocks.${layer}.mlp_out`,
    });
  }

  logits(input: string, output: string): string {
    const { config, constants, weights } = this.writing;
    const name = headName(config);
    const matrix = constants.float32(name, () =>
      stack(name, [{ weight: weights(name) }], [config.vocabularySize, config.hiddenSize]),
    );
    return this.product(input, matrix, output);
  }

  /**
   * A sequence as first output: a run that asks for it ends after all others are written in place
   * and before any is copied.
   */
  firstOutputs(): void {
    const { graph } = this.writing;
    graph.node('SequenceConstruct', [graph.f32Scalar(0)], { outputs: ['fetch_guard'] });
    graph.sequenceOutput('fetch_guard', 'float32');
  }

  /** One matrix, and its bias where the model has one, over `input`. */
  private linear(input: string, layer: number, { name, pieces, shape, output }: Linear): string {
    const { graph, config, constants, weights, given } = this.writing;
    const whole = given.linear?.(layer, name);
    if (whole !== undefined) return whole(graph, input, output);
    const outputs = output === undefined ? {} : { outputs: [output] };
    if (pieces.length > 1 && pieces.some(({ matrix }) => given.linear?.(layer, matrix))) {
      const each = pieces.map((piece) => this.alone(input, layer, piece));
      return graph.node('Concat', each, { ...outputs, attributes: { axis: int(-1) } })[0];
    }
    const parts = (kind: 'weight' | 'bias'): Part[] =>
      pieces.map((piece) => ({
        weight: weights(inLayer(layer, `${piece.matrix}.${kind}`)),
        rearrange: piece[kind],
      }));
    const weightName = inLayer(layer, `${name}.weight`);
    const matrix = constants.float32(weightName, () => stack(weightName, parts('weight'), shape));
    if (!matrices(config)[pieces[0].matrix].bias) return this.product(input, matrix, output);
    const biasName = inLayer(layer, `${name}.bias`);
    const bias = constants.float32(biasName, () => vector(biasName, parts('bias'), shape[0]));
    return graph.node('Add', [this.product(input, matrix), bias], outputs)[0];
  }

  /** A matrix that cannot be joined with others, since one of them is stored in another form. */
  private alone(input: string, layer: number, piece: Piece): string {
    const { rows, columns } = matrices(blockConfig(this.writing.config, layer))[piece.matrix];
    return this.linear(input, layer, {
      name: piece.matrix,
      pieces: [piece],
      shape: [rows, columns],
    });
  }

  private product(input: string, matrix: string, output?: string): string {
    return this.writing.graph.node('FusedMatMul', [input, matrix], {
      ...(output === undefined ? {} : { outputs: [output] }),
      attributes: { transB: int(1) },
      domain: MICROSOFT,
    })[0];
  }
}
