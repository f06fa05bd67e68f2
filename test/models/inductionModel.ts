import { safetensorsOf } from '../../main/formats/safetensors.ts';
import type { NamedTensors } from '../../main/formats/namedTensors.ts';
import { safetensors, type StoredTensor } from './safetensors.ts';

/** Tokens: the last one, 15, is to stand at the beginning and nowhere else. */
const VOCABULARY = 16;
const HEADS = 2;
const HEAD_DIM = 32;
const HIDDEN = 64;
const INNER = 32;
const THETA = 1e8;

/** Parts of the residual stream, one channel for each token. */
const HERE = 0;
const BEFORE = 16;
const PREDICTED = 32;
/** A channel that is 1 everywhere. */
const CONSTANT = 48;

/**
 * An induction model written by hand (Elhage et al. 2021; Olsson et al. 2022): two layers of two
 * heads, MLPs that do nothing.
 *
 * Head 0.0 looks at the token before, by rotary embedding alone: queries and keys are the same
 * everywhere, the queries turned back by one step. It writes which token stands there. Head 1.1 looks
 * at places that stand behind a token like this one: its queries are the token here, its keys the
 * token before, in pairs that turn too slowly to matter. It writes the token it sees, which the
 * output matrix reads. Heads 0.1 and 1.0 look everywhere alike and write nothing.
 */
export function inductionModel(): { config: Record<string, unknown>; tensors: NamedTensors } {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: HIDDEN,
    intermediate_size: INNER,
    num_hidden_layers: 2,
    num_attention_heads: HEADS,
    num_key_value_heads: HEADS,
    head_dim: HEAD_DIM,
    vocab_size: VOCABULARY,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-9,
    rope_theta: THETA,
    hidden_act: 'silu',
    tie_word_embeddings: false,
  };
  const bytes = safetensors(weights());
  const tensors = safetensorsOf({
    length: bytes.length,
    path: 'induction',
    read: (offset: number, length: number) => bytes.slice(offset, offset + length),
    close: () => {},
  });
  return { config, tensors };
}

/** One entry of a matrix: row, column, value. */
type Entry = readonly [number, number, number];

function weights(): StoredTensor[] {
  // The stream has two channels of 1 before the first block and three before the second: RMSNorm
  // makes these of them.
  const first = Math.sqrt(HIDDEN / 2);
  const second = Math.sqrt(HIDDEN / 3);
  const tokens = Array.from({ length: VOCABULARY }, (_, token) => token);
  const queries = HEADS * HEAD_DIM;
  const none: Entry[] = [];
  return [
    matrix('model.embed_tokens', VOCABULARY, HIDDEN, [
      ...tokens.map((token): Entry => [token, HERE + token, 1]),
      ...tokens.map((token): Entry => [token, CONSTANT, 1]),
    ]),
    ...block(0, {
      q_proj: previousPairs(first, -1),
      k_proj: previousPairs(first, 0),
      v_proj: tokens.map((token): Entry => [token, HERE + token, 1 / first]),
      o_proj: tokens.map((token): Entry => [BEFORE + token, token, 1]),
    }),
    ...block(1, {
      q_proj: tokens.map((token): Entry => [
        HEAD_DIM + slowPlace(token),
        HERE + token,
        MATCH / second,
      ]),
      k_proj: tokens.map((token): Entry => [
        HEAD_DIM + slowPlace(token),
        BEFORE + token,
        MATCH / second,
      ]),
      v_proj: tokens.map((token): Entry => [HEAD_DIM + token, HERE + token, 1 / second]),
      o_proj: tokens.map((token): Entry => [PREDICTED + token, HEAD_DIM + token, 1]),
    }),
    norm('model.norm'),
    matrix(
      'lm_head',
      VOCABULARY,
      HIDDEN,
      tokens.map((token): Entry => [token, PREDICTED + token, 4]),
    ),
  ];

  function block(layer: number, attention: Record<string, Entry[]>): StoredTensor[] {
    const prefix = `model.layers.${layer}`;
    return [
      norm(`${prefix}.input_layernorm`),
      ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) =>
        matrix(`${prefix}.self_attn.${name}`, queries, HIDDEN, attention[name]),
      ),
      norm(`${prefix}.post_attention_layernorm`),
      matrix(`${prefix}.mlp.gate_proj`, INNER, HIDDEN, none),
      matrix(`${prefix}.mlp.up_proj`, INNER, HIDDEN, none),
      matrix(`${prefix}.mlp.down_proj`, HIDDEN, INNER, none),
    ];
  }
}

/** Products of matching queries and keys are this squared: a score of 20 over the others. */
const MATCH = Math.sqrt(20 * Math.sqrt(HEAD_DIM));

/** Where a head keeps which token: in pairs 6 to 13, which turn by a thousandth at most a step. */
const slowPlace = (token: number): number =>
  6 + (token >> 1) + (token % 2 === 0 ? 0 : HEAD_DIM / 2);

/** The three fastest pairs of head 0, all made of the constant channel and turned by some steps. */
function previousPairs(normalized: number, steps: number): Entry[] {
  const length = 17 / normalized;
  return [0, 1, 2].flatMap((pair): Entry[] => {
    const angle = steps * THETA ** (-pair / (HEAD_DIM / 2));
    return [
      [pair, CONSTANT, length * Math.cos(angle)],
      [pair + HEAD_DIM / 2, CONSTANT, length * Math.sin(angle)],
    ];
  });
}

function matrix(
  name: string,
  rows: number,
  columns: number,
  entries: readonly Entry[],
): StoredTensor {
  const values = new Float32Array(rows * columns);
  for (const [row, column, value] of entries) values[row * columns + column] = value;
  return stored(name, [rows, columns], values);
}

const norm = (name: string): StoredTensor =>
  stored(name, [HIDDEN], new Float32Array(HIDDEN).fill(1));

const stored = (name: string, shape: number[], values: Float32Array): StoredTensor => ({
  name: `${name}.weight`,
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(values.buffer),
});
