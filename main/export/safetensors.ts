import { LatheError } from '../../preload/contract/errors.ts';
import { readLlamaConfig, type LlamaConfig } from '../architectures/llama/config.ts';
import { paddedHeadDim } from '../architectures/llama/headPadding.ts';
import type { NamedTensor } from '../formats/namedTensors.ts';
import type { TensorToWrite } from '../formats/writeSafetensors.ts';
import { toFloat16Bits } from '../numeric/float16.ts';
import { toFloat32, type FloatType } from '../numeric/floats.ts';
import { elementCount } from '../onnx/tensor.ts';
import { readDecoder, type Decoder } from '../passes/decoder.ts';
import { partsOf } from '../passes/unfuse.ts';
import { zeros } from '../passes/weights.ts';
import type { ExportFile, ExportInput } from './fileSet.ts';
import { floatModel } from './floatModel.ts';
import { sidecars } from './sidecars.ts';
import { requireUniform, sizedConfig } from './sizes.ts';

const FORMAT = "Hugging Face's Llama";

/**
 * The model as transformers knows it: config.json of a LlamaForCausalLM and its weights as float16
 * under their usual names, whatever they were stored as. Refuses what config.json cannot say and
 * weights beyond float16 (65,504).
 */
export function safetensorsFiles(input: ExportInput): ExportFile[] {
  const decoder = readDecoder(floatModel(input.model));
  requireUniform(decoder, FORMAT, input.passes);
  const sized = sizedConfig(input.config, decoder);
  const numbers = readLlamaConfig(withoutOthers(input.config), 'config.json');
  checkHeads(decoder, numbers);
  const { config, weights } = partsOf(decoder);
  const overflows: Overflow[] = [];
  const tensors = withAllBiases(weights, config).map((weight) =>
    asHalf(headsOf(weight, decoder, numbers.headDim), overflows),
  );
  const content = {
    ...withoutOthers(sized),
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    head_dim: numbers.headDim,
    attention_bias: config.attentionBias || config.outputBias,
    mlp_bias: config.mlpBias,
    tie_word_embeddings: config.tiedEmbeddings,
    ...(isClose(numbers.normEpsilon, config.normEpsilon)
      ? {}
      : { rms_norm_eps: config.normEpsilon }),
    // The graph ends where a window would begin to slide, which a LlamaForCausalLM has none of.
    ...(config.contextLength < numbers.contextLength
      ? { max_position_embeddings: config.contextLength }
      : {}),
    torch_dtype: 'float16',
  };
  return [
    { kind: 'json', path: 'config.json', content },
    ...sidecars(input),
    { kind: 'tensors', path: 'model.safetensors', tensors, check: () => refuse(overflows) },
  ];
}

/** A LlamaForCausalLM has biases in all matrices of attention or in none: zeros for the missing. */
function withAllBiases(weights: readonly NamedTensor[], config: LlamaConfig): NamedTensor[] {
  if (config.attentionBias === config.outputBias) return [...weights];
  const missing = config.outputBias
    ? /\.self_attn\.[qkv]_proj\.weight$/
    : /\.self_attn\.o_proj\.weight$/;
  const biases = weights.filter(({ name }) => missing.test(name));
  return [
    ...weights,
    ...biases.map(({ name, shape }) => zeros(name.replace(/weight$/, 'bias'), shape[0])),
  ];
}

/** Fields that speak of another storage of the same model, or of windows of a relative of Llama. */
const foreign = [
  'lathe',
  'transformers.js_config',
  'quantization_config',
  'sliding_window',
  'use_sliding_window',
  'max_window_layers',
  'layer_types',
];

const withoutOthers = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).filter(([field]) => !foreign.includes(field)));

/** Heads may be padded to what the runtime wants; anything else config.json cannot say. */
function checkHeads({ blocks }: Decoder, config: LlamaConfig): void {
  const { headDim, scale } = blocks[0].attention;
  if (headDim !== config.headDim && headDim !== paddedHeadDim(config)) {
    throw new LatheError(
      'config_invalid',
      `config.json gives heads of ${config.headDim} elements, the graph has: ${headDim}`,
      { value: String(headDim) },
    );
  }
  const usual = 1 / Math.sqrt(config.headDim);
  if (isClose(scale, usual)) return;
  throw new LatheError(
    'usage',
    `${FORMAT} multiplies scores by 1 / √${config.headDim}, this model by: ${scale}`,
    { value: String(scale) },
  );
}

/** Equal but for the rounding to float32. */
const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** A weight without the zeros that heads are padded with in the fused form. */
function headsOf(
  weight: NamedTensor,
  { hiddenSize: hidden, blocks }: Decoder,
  headDim: number,
): NamedTensor {
  const { headDim: padded } = blocks[0].attention;
  const found = /self_attn\.([qkvo])_proj\.(weight|bias)$/.exec(weight.name);
  const isBiasOfOutput = found?.[1] === 'o' && found[2] === 'bias';
  if (found === null || isBiasOfOutput || padded === headDim) return weight;
  const [, part, kind] = found;
  const columns = kind === 'weight' && part !== 'o' ? hidden : 1;
  // Each half of a head that turns is padded by itself.
  const halves = part === 'q' || part === 'k' ? 2 : 1;
  const kept = (headDim / halves) * columns;
  const all = (padded / halves) * columns;
  const ratio = kept / all;
  const axis = part === 'o' ? 1 : 0;
  return {
    ...weight,
    shape: weight.shape.map((size, at) => (at === axis ? size * ratio : size)),
    length: weight.length * ratio,
    read: () => chunks(weight.read(), kept * sizeOf(weight), all * sizeOf(weight)),
  };
}

const sizeOf = ({ length, shape }: NamedTensor): number => length / elementCount(shape);

/** The first `kept` bytes of every `all`. */
function chunks(bytes: Uint8Array, kept: number, all: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array((bytes.length / all) * kept);
  for (let from = 0, to = 0; from < bytes.length; from += all, to += kept) {
    result.set(bytes.subarray(from, from + kept), to);
  }
  return result;
}

interface Overflow {
  readonly tensor: string;
  readonly count: number;
}

/** The weight in float16, rounded half to even; what does not fit is counted as it is read. */
function asHalf(weight: NamedTensor, overflows: Overflow[]): TensorToWrite {
  const { name, shape, dataType } = weight;
  return {
    name,
    dtype: 'F16',
    shape,
    length: 2 * elementCount(shape),
    read() {
      // The same bits again, where it is float16 already.
      if (dataType === 'float16') return weight.read();
      if (!isFloat(dataType)) throw new RangeError(`${name} is no float: ${dataType}`);
      const values = toFloat32(dataType, weight.read());
      const bits = Uint16Array.from(values, toFloat16Bits);
      let count = 0;
      for (const half of bits) if ((half & 0x7fff) >= 0x7c00) count++;
      if (count > 0) overflows.push({ tensor: name, count });
      return new Uint8Array(bits.buffer);
    },
  };
}

const floats: readonly string[] = ['float64', 'float32', 'bfloat16'] satisfies FloatType[];
const isFloat = (dataType: string): dataType is FloatType => floats.includes(dataType);

function refuse(overflows: readonly Overflow[]): void {
  const [first, ...others] = overflows;
  if (first === undefined) return;
  const all = overflows.reduce((sum, { count }) => sum + count, 0);
  const more = others.length === 0 ? '' : ` and ${others.length} more tensors`;
  throw new LatheError(
    'values_not_finite',
    `values beyond float16 (65,504) in ${first.tensor}${more}: ${all}`,
    { tensor: first.tensor, value: String(all) },
  );
}
