import type {
  GraphFacts,
  GraphForm,
  ModelFacts,
  ModelRecord,
  TensorFacts,
} from '../../preload/contract/index.ts';

const embedded: ModelRecord = {
  name: 'tiny-stories',
  parent: null,
  architecture: 'llama',
  parameters: 1_124_224,
  bytes: 4_499_856,
  precision: 'float32',
  contextLength: 512,
  vocabularySize: 2048,
  hasChatTemplate: false,
  source: 'embedded',
  folder: '/opt/lathe/resources/models/tiny-stories',
  licence: 'apache-2.0',
  sha256: '9f2c4e8a71d0b35c6e1f8a2d4b7093e5c1a6d8f0b2e4975a3c6d1e8f0a2b4c6d',
  addedAt: Date.parse('2026-02-01T08:00:00Z'),
};

/** A library as it looks after a week of use. */
export const records: readonly [ModelRecord, ...ModelRecord[]] = [
  embedded,
  {
    ...embedded,
    name: 'SmolLM2-135M-Instruct',
    sha256: '5a'.repeat(32),
    parameters: 134_515_008,
    bytes: 269_060_552,
    precision: 'bfloat16',
    contextLength: 8192,
    vocabularySize: 49_152,
    hasChatTemplate: true,
    source: 'library',
    folder: '/home/ada/.local/share/lathe/models/SmolLM2-135M-Instruct',
  },
  {
    ...embedded,
    name: 'SmolLM2-135M-Instruct/int4',
    sha256: '54'.repeat(32),
    parent: 'SmolLM2-135M-Instruct',
    parameters: 134_515_008,
    bytes: 88_100_000,
    precision: 'int4',
    contextLength: 8192,
    vocabularySize: 49_152,
    hasChatTemplate: true,
    source: 'library',
    folder: '/home/ada/.local/share/lathe/models/SmolLM2-135M-Instruct/int4',
  },
  {
    ...embedded,
    name: 'stories15M',
    sha256: '15'.repeat(32),
    parameters: 15_191_712,
    bytes: 60_800_000,
    contextLength: 256,
    vocabularySize: 32_000,
    source: 'folder',
    licence: null,
    folder: '/models/stories15M',
  },
];

/** Facts with a memory estimate that grows with the context. */
export function facts(record: ModelRecord, context = record.contextLength): ModelFacts {
  const weights = record.parameters * 4;
  const cache = context * 5 * 2 * 4 * 16 * 4;
  const activations = 2_400_000;
  return {
    record,
    config: {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: 128,
      intermediate_size: 320,
      num_hidden_layers: 5,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      vocab_size: record.vocabularySize,
      max_position_embeddings: record.contextLength,
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
      tie_word_embeddings: true,
    },
    files: [
      { name: 'config.json', bytes: 612, sha256: 'ab12'.repeat(16) },
      { name: 'model.safetensors', bytes: record.bytes, sha256: record.sha256 },
      { name: 'tokenizer.json', bytes: 118_204, sha256: 'c0de'.repeat(16) },
    ],
    card: `# ${record.name}\n\nA Llama of 1.12 M parameters, trained on simple English stories.\nHeld-out stories: 0.65 bits per byte.\n`,
    chatTemplate: record.hasChatTemplate
      ? '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'
      : null,
    memory: {
      context,
      weights,
      cache,
      activations,
      total: weights + cache + activations,
      available: 26_800_000_000,
    },
  };
}

const tensor = (name: string, ...shape: number[]): TensorFacts => ({
  name,
  dataType: 'float32',
  shape,
  bytes: shape.reduce((product, size) => product * size, 4),
  file: 'model.safetensors',
});

/** The tensors of a Llama of 5 layers. */
export function tensors({ vocabularySize }: ModelRecord): TensorFacts[] {
  const layers = Array.from({ length: 5 }, (_, layer) => {
    const at = `model.layers.${layer}`;
    return [
      tensor(`${at}.input_layernorm.weight`, 128),
      tensor(`${at}.self_attn.q_proj.weight`, 128, 128),
      tensor(`${at}.self_attn.k_proj.weight`, 64, 128),
      tensor(`${at}.self_attn.v_proj.weight`, 64, 128),
      tensor(`${at}.self_attn.o_proj.weight`, 128, 128),
      tensor(`${at}.post_attention_layernorm.weight`, 128),
      tensor(`${at}.mlp.gate_proj.weight`, 320, 128),
      tensor(`${at}.mlp.up_proj.weight`, 320, 128),
      tensor(`${at}.mlp.down_proj.weight`, 128, 320),
    ];
  });
  return [
    tensor('model.embed_tokens.weight', vocabularySize, 128),
    ...layers.flat(),
    tensor('model.norm.weight', 128),
  ];
}

/** A summary as the graph builder gives it. */
export function graph(form: GraphForm): GraphFacts {
  const operators: Record<string, number> =
    form === 'fused'
      ? {
          MatMul: 21,
          GroupQueryAttention: 5,
          SkipSimplifiedLayerNormalization: 10,
          SimplifiedLayerNormalization: 1,
          Split: 10,
          QuickGelu: 5,
          Mul: 5,
          Gather: 2,
          SequenceConstruct: 1,
        }
      : { MatMul: 46, Mul: 62, Add: 41, Reshape: 40, Transpose: 30, Softmax: 5, Concat: 20 };
  const cache = Array.from({ length: 5 }, (_, layer) => ({
    name: `past_key_values.${layer}.key`,
    dataType: 'float32',
    shape: ['batch_size', 4, 'past_sequence_length', 16],
  }));
  return {
    form,
    opsets: form === 'fused' ? { '': 21, 'com.microsoft': 1 } : { '': 21 },
    nodes: Object.values(operators).reduce((sum, count) => sum + count, 0),
    operators,
    inputs: [
      { name: 'input_ids', dataType: 'int64', shape: ['batch_size', 'sequence_length'] },
      { name: 'logits_index', dataType: 'int64', shape: ['n'] },
      ...cache,
    ],
    outputs: [{ name: 'logits', dataType: 'float32', shape: ['batch_size', 'n', 2048] }],
    hookPoints: [
      'embed',
      ...Array.from({ length: 5 }, (_, layer) =>
        ['resid_pre', 'attn.q', 'attn.k', 'attn.v', 'attn_out', 'mlp_out', 'resid_post'].map(
          (name) => `blocks.${layer}.${name}`,
        ),
      ).flat(),
      'ln_final',
      'logits',
    ],
  };
}
