/** Named values of one forward pass, row-major, each with its shape. */
export type Values = Map<string, { shape: number[]; data: Float64Array }>;

/**
 * The Llama forward pass in float64, written from its definition (Touvron et al. 2023; Zhang and
 * Sennrich 2019 for RMSNorm; Su et al. 2021 for rotary embedding; Shazeer 2020 for SwiGLU; Ainslie
 * et al. 2023 for grouped queries), one token and one head at a time, without a cache. `config` is
 * a config.json, `tensor` gives weights by their names in the checkpoint.
 */
export function referenceLlama(
  config: Record<string, unknown>,
  tensor: (name: string) => Float64Array,
  ids: readonly number[],
): Values {
  const number = (name: string): number => Number(config[name]);
  const hidden = number('hidden_size');
  const heads = number('num_attention_heads');
  const kvHeads = Number(config['num_key_value_heads'] ?? heads);
  const headDim = Number(config['head_dim'] ?? hidden / heads);
  const inner = number('intermediate_size');
  const tokens = ids.length;
  const values: Values = new Map();
  const keep = (name: string, shape: number[], rows: Float64Array[]): void => {
    const data = new Float64Array(rows.reduce((sum, row) => sum + row.length, 0));
    let at = 0;
    for (const row of rows) {
      data.set(row, at);
      at += row.length;
    }
    values.set(name, { shape, data });
  };

  const linear = (name: string, x: Float64Array, rows: number, bias: boolean): Float64Array => {
    const weight = tensor(`${name}.weight`);
    const offset = bias ? tensor(`${name}.bias`) : undefined;
    return Float64Array.from({ length: rows }, (_, row) => {
      let sum = offset?.[row] ?? 0;
      for (let i = 0; i < x.length; i++) sum += weight[row * x.length + i] * x[i];
      return sum;
    });
  };
  const norm = (name: string, x: Float64Array): Float64Array => {
    const gain = tensor(name);
    let squares = 0;
    for (const value of x) squares += value * value;
    const scale = Math.sqrt(squares / x.length + number('rms_norm_eps'));
    return x.map((value, i) => (value / scale) * gain[i]);
  };

  const table = tensor('model.embed_tokens.weight');
  let stream = ids.map((id) => table.slice(id * hidden, (id + 1) * hidden));
  keep('embed', [1, tokens, hidden], stream);

  for (let layer = 0; layer < number('num_hidden_layers'); layer++) {
    const block = `model.layers.${layer}`;
    const hook = `blocks.${layer}`;
    const outputBias = config['attention_bias'] === true;
    const attentionBias = outputBias || config['model_type'] === 'qwen2';
    const mlpBias = config['mlp_bias'] === true;
    keep(`${hook}.resid_pre`, [1, tokens, hidden], stream);

    const normalized = stream.map((x) => norm(`${block}.input_layernorm.weight`, x));
    keep(`${hook}.ln1`, [1, tokens, hidden], normalized);
    const project = (which: string, count: number): Float64Array[] =>
      normalized.map((x) =>
        linear(`${block}.self_attn.${which}_proj`, x, count * headDim, attentionBias),
      );
    const queries = project('q', heads);
    const keys = project('k', kvHeads);
    const vs = project('v', kvHeads);
    keep(`${hook}.attn.q`, [1, tokens, heads, headDim], queries);
    keep(`${hook}.attn.k`, [1, tokens, kvHeads, headDim], keys);
    keep(`${hook}.attn.v`, [1, tokens, kvHeads, headDim], vs);
    const turnedQueries = queries.map((row, position) => rotate(config, row, position, headDim));
    const turnedKeys = keys.map((row, position) => rotate(config, row, position, headDim));
    keep(`${hook}.attn.rot_q`, [1, tokens, heads, headDim], turnedQueries);
    keep(`${hook}.attn.rot_k`, [1, tokens, kvHeads, headDim], turnedKeys);

    const scores: Float64Array[] = [];
    const patterns: Float64Array[] = [];
    const z = ids.map(() => new Float64Array(heads * headDim));
    for (let head = 0; head < heads; head++) {
      const group = Math.floor(head / (heads / kvHeads));
      for (let query = 0; query < tokens; query++) {
        const row = new Float64Array(tokens).fill(-Infinity);
        for (let key = 0; key <= query; key++) {
          let dot = 0;
          for (let i = 0; i < headDim; i++) {
            dot += turnedQueries[query][head * headDim + i] * turnedKeys[key][group * headDim + i];
          }
          row[key] = dot / Math.sqrt(headDim);
        }
        const pattern = softmax(row);
        for (let key = 0; key <= query; key++) {
          for (let i = 0; i < headDim; i++) {
            z[query][head * headDim + i] += pattern[key] * vs[key][group * headDim + i];
          }
        }
        scores.push(row);
        patterns.push(pattern);
      }
    }
    keep(`${hook}.attn.scores`, [1, heads, tokens, tokens], scores);
    keep(`${hook}.attn.pattern`, [1, heads, tokens, tokens], patterns);
    keep(`${hook}.attn.z`, [1, tokens, heads, headDim], z);
    const attended = z.map((x) => linear(`${block}.self_attn.o_proj`, x, hidden, outputBias));
    keep(`${hook}.attn_out`, [1, tokens, hidden], attended);
    const middle = stream.map((x, i) => add(x, attended[i]));
    keep(`${hook}.resid_mid`, [1, tokens, hidden], middle);

    const second = middle.map((x) => norm(`${block}.post_attention_layernorm.weight`, x));
    keep(`${hook}.ln2`, [1, tokens, hidden], second);
    const gates = second.map((x) => linear(`${block}.mlp.gate_proj`, x, inner, mlpBias));
    const ups = second.map((x) => linear(`${block}.mlp.up_proj`, x, inner, mlpBias));
    keep(`${hook}.mlp.pre`, [1, tokens, inner], gates);
    keep(`${hook}.mlp.pre_linear`, [1, tokens, inner], ups);
    const post = gates.map((gate, i) => gate.map((x, j) => (x / (1 + Math.exp(-x))) * ups[i][j]));
    keep(`${hook}.mlp.post`, [1, tokens, inner], post);
    const out = post.map((x) => linear(`${block}.mlp.down_proj`, x, hidden, mlpBias));
    keep(`${hook}.mlp_out`, [1, tokens, hidden], out);
    stream = middle.map((x, i) => add(x, out[i]));
    keep(`${hook}.resid_post`, [1, tokens, hidden], stream);
  }

  const last = stream.map((x) => norm('model.norm.weight', x));
  keep('ln_final', [1, tokens, hidden], last);
  const head = config['tie_word_embeddings'] === true ? 'model.embed_tokens' : 'lm_head';
  const vocabulary = number('vocab_size');
  keep(
    'logits',
    [1, tokens, vocabulary],
    last.map((x) => linear(head, x, vocabulary, false)),
  );
  return values;
}

function add(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  return a.map((value, i) => value + b[i]);
}

function softmax(row: Float64Array): Float64Array {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const powers = row.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((value) => value / sum);
}

/** Turns elements i and i + headDim / 2 of every head by the position times their frequency. */
function rotate(
  config: Record<string, unknown>,
  row: Float64Array,
  position: number,
  headDim: number,
): Float64Array {
  const turned = row.slice();
  const half = headDim / 2;
  for (let start = 0; start < row.length; start += headDim) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequency(config, i, headDim);
      const x = row[start + i];
      const y = row[start + half + i];
      turned[start + i] = x * Math.cos(angle) - y * Math.sin(angle);
      turned[start + half + i] = y * Math.cos(angle) + x * Math.sin(angle);
    }
  }
  return turned;
}

/** Radians per position of pair i, by the wavelengths that Llama 3.1's release describes. */
function frequency(config: Record<string, unknown>, i: number, headDim: number): number {
  const scaling = (config['rope_parameters'] ?? config['rope_scaling'] ?? {}) as Record<
    string,
    number | string
  >;
  const theta = Number(scaling['rope_theta'] ?? config['rope_theta']);
  const plain = 1 / theta ** ((2 * i) / headDim);
  const kind = scaling['rope_type'] ?? scaling['type'] ?? 'default';
  if (kind === 'default') return plain;
  const factor = Number(scaling['factor']);
  if (kind === 'linear') return plain / factor;
  const context = Number(scaling['original_max_position_embeddings']);
  const low = Number(scaling['low_freq_factor']);
  const high = Number(scaling['high_freq_factor']);
  const wavelength = (2 * Math.PI) / plain;
  if (wavelength < context / high) return plain;
  if (wavelength > context / low) return plain / factor;
  const smooth = (context / wavelength - low) / (high - low);
  return ((1 - smooth) * plain) / factor + smooth * plain;
}
