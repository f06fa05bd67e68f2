import { LatheError } from '../../preload/contract/errors.ts';
import { fetchGuard, type Port, type Session } from '../inference/session.ts';
import { signatureOf, type CachePort, type Signature } from '../inference/signature.ts';
import type { Model, ValueInfo } from '../onnx/model.ts';
import { isFused, readDecoder } from '../passes/decoder.ts';
import { exposeAttention, type AttentionSite } from '../passes/exposeAttention.ts';
import { tapped } from '../passes/tapped.ts';

/** Loads a part of a graph until `close`. */
export type OpenPart = (
  model: Model,
) => Promise<{ readonly session: Session; readonly close: () => Promise<void> }>;

/** A model as it is looked into: its graph with attention exposed, and what is known of its parts. */
export interface Subject {
  /** The graph as it was. */
  readonly model: Model;
  /** With the inner values of attention, and switches for heads. */
  readonly exposed: Model;
  readonly sites: readonly AttentionSite[];
  readonly signature: Signature;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
  /**
   * Whether the residual stream has its names, as in the fused form; otherwise only attention and
   * logits can be looked at.
   */
  readonly hasStreams: boolean;
  /** Inner values that can be asked for. */
  readonly hookPoints: readonly string[];
}

/** Reads what a graph offers to look at; `graph_invalid` where no attention is recognised. */
export function subjectOf(model: Model, contextLength: number): Subject {
  const ports = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  const signature = signatureOf('the graph', ports.map(portOf), model.graph.outputs.map(portOf));
  const { model: exposed, sites: found } = exposeAttention(model);
  const presents = new Set(signature.cache.map(({ present }) => present));
  // Keys and values that the graph changes on their way into its cache are not those of the scores.
  const sites = found.map((site) =>
    site.parts !== null && presents.has(site.parts.key) && presents.has(site.parts.value)
      ? site
      : { ...site, parts: null },
  );
  if (sites.length * 2 !== signature.cache.length) {
    throw new LatheError(
      'graph_invalid',
      `attention is recognised in ${sites.length} layers of a graph whose cache has: ${signature.cache.length / 2}`,
      { value: String(sites.length), next: ['choose-model'] },
    );
  }
  const hasStreams = isFused(model);
  const hookPoints = exposed.graph.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((name) => hookName.test(name));
  return {
    model,
    exposed,
    sites,
    signature,
    hiddenSize: hasStreams ? readDecoder(model).hiddenSize : 0,
    vocabularySize: signature.vocabularySize,
    contextLength,
    hasStreams,
    hookPoints: inOrder(hasStreams ? [...hookPoints, ...aliases(sites.length)] : hookPoints),
  };
}

const hookName = /^(?:embed|ln_final|logits|blocks\.\d+\.[\w.]+)$/;

/** Streams into a block, which the fused form has under the name of what they come from. */
const aliases = (layers: number): string[] =>
  Array.from({ length: layers }, (_, layer) => `blocks.${layer}.resid_pre`);

/** The name that the graph gives a value: the stream into a block comes from the one before. */
export function nameInGraph({ hasStreams }: Subject, hook: string): string {
  const layer = /^blocks\.(\d+)\.resid_pre$/.exec(hook)?.[1];
  if (layer === undefined || !hasStreams) return hook;
  return layer === '0' ? 'embed' : `blocks.${Number(layer) - 1}.resid_post`;
}

/** Values of a block in the order they are computed. */
const order =
  'resid_pre ln1 attn.heads attn.q attn.k attn.v attn.rot_q attn.rot_k attn.scores attn.pattern attn.z attn_out resid_mid ln2 mlp.pre mlp.pre_linear mlp.post mlp_out resid_post'.split(
    ' ',
  );

function place(name: string): number {
  const [, layer, hook] = /^blocks\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer !== undefined) return 1 + Number(layer) + Math.max(0, order.indexOf(hook)) / 64;
  return name === 'embed' ? 0 : Number.MAX_SAFE_INTEGER;
}

/** Without values that have another name: what heads give before they may be switched off. */
const inOrder = (names: readonly string[]): string[] =>
  [...new Set(names)]
    .filter((name) => !name.endsWith('.attn.heads'))
    .toSorted((a, b) => place(a) - place(b));

/** What a block's MLP writes into the residual stream. */
export const mlpName = (layer: number): string => `blocks.${layer}.mlp_out`;

/** The residual stream behind the embedding and behind each block. */
export const streamNames = ({ sites }: Subject): string[] => [
  'embed',
  ...sites.map(({ layer }) => `blocks.${layer}.resid_post`),
];

/** The part of the cache that a graph gives under this name. */
export function cachePort({ cache }: Signature, present: string): CachePort {
  const port = cache.find((one) => one.present === present);
  if (port === undefined) throw new RangeError(`no part of the cache: ${present}`);
  return port;
}

/** Elements per token of the values that every capture keeps, by their names in the graph. */
export function tapWidths(subject: Subject): Map<string, number> {
  const { sites, signature, hiddenSize, hasStreams } = subject;
  const widths = new Map<string, number>();
  for (const { parts, heads, layer } of sites) {
    if (parts !== null) {
      widths.set(parts.query, heads * cachePort(signature, parts.key).headDim);
    }
    if (hasStreams) widths.set(mlpName(layer), hiddenSize);
  }
  if (hasStreams) for (const name of streamNames(subject)) widths.set(name, hiddenSize);
  return widths;
}

/**
 * The part of a subject's graph that gives these values, its cache and nothing else. Scores depend
 * on how many keys there are, so a graph that gives them is not to write its cache in place.
 */
export function partFor({ exposed, signature, sites }: Subject, values: readonly string[]): Model {
  const scores = new Set(sites.map((site) => site.scores));
  const inPlace =
    exposed.graph.outputs[0]?.name === fetchGuard && !values.some((value) => scores.has(value));
  const guard = inPlace ? [fetchGuard] : [];
  const cache = signature.cache.map(({ present }) => present);
  return tapped(exposed, [...new Set([...guard, ...values, ...cache])]);
}

function portOf({ name, type }: ValueInfo): Port {
  if (type?.kind !== 'tensor') return { name, dataType: 'sequence', shape: [] };
  return { name, dataType: type.dataType, shape: (type.shape ?? []).map((size) => size ?? '?') };
}
