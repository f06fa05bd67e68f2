import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import type { NamedTensors } from '../../main/formats/namedTensors.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { createRandom } from '../../main/numeric/random.ts';
import type { Model } from '../../main/onnx/model.ts';
import { saveModel } from '../../main/onnx/save.ts';
import type { GraphForm } from '../../preload/contract/models.ts';

export const tinyConfig = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  intermediate_size: 96,
  vocab_size: 300,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
};

/** Graph files of a random Llama of two layers, written for one test file. */
export interface TinyModel {
  readonly folder: string;
  /** Both forms, the fused one without its guard, the plain one that always gives all logits. */
  readonly files: Record<GraphForm | 'unguarded' | 'unindexed', string>;
  open(form: keyof TinyModel['files'], contextLength?: number): Promise<Decoder>;
  /** Closes what was opened and deletes the files. */
  close(): Promise<void>;
}

export function writeTinyModel(): TinyModel {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-decoder-'));
  const architecture = architectureOf(tinyConfig, 'config.json');
  const tensors = randomTensors(architecture.requiredTensors());
  const fused = architecture.build(tensors, 'fused');
  const files = {
    fused: join(folder, 'fused.onnx'),
    plain: join(folder, 'plain.onnx'),
    unguarded: join(folder, 'unguarded.onnx'),
    unindexed: join(folder, 'unindexed.onnx'),
  };
  const plain = architecture.build(tensors, 'plain');
  saveModel(fused, files.fused);
  saveModel(plain, files.plain);
  saveModel(withoutIndex(plain), files.unindexed);
  saveModel(withoutGuard(fused), files.unguarded);
  const opened: Decoder[] = [];
  return {
    folder,
    files,
    async open(form, contextLength = 2048) {
      const decoder = await Decoder.open(files[form], { threads: 2, device: 'cpu', contextLength });
      opened.push(decoder);
      return decoder;
    },
    async close() {
      for (const decoder of opened) await decoder.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The token with the largest logit. */
export function largest(logits: Float32Array): number {
  return logits.reduce((best, logit, id) => (logit > logits[best] ? id : best), 0);
}

/** Greedy continuation of a prompt. */
export async function continueGreedily(
  decoder: Decoder,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const ids: number[] = [];
  let logits = await decoder.prefill(prompt);
  for (let token = 0; token < count; token++) {
    ids.push(largest(logits));
    logits = await decoder.step(ids[token]);
  }
  return ids;
}

/** Seeded ids that repeat nowhere soon. */
export function promptOf(length: number, seed = 1): number[] {
  const random = createRandom(seed);
  return Array.from({ length }, () => Math.floor(random.next() * tinyConfig.vocab_size));
}

/** The largest difference between two equally long arrays. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);
}

function randomTensors(
  required: readonly { name: string; shape: readonly number[] }[],
): NamedTensors {
  const random = createRandom(7);
  const tensors = new Map(
    required.map(({ name, shape }) => {
      const length = shape.reduce((a, b) => a * b, 1);
      // Wide enough that attention and logits are far from uniform.
      const values = Float32Array.from({ length }, () =>
        shape.length === 1 ? 0.5 + random.next() : random.next() - 0.5,
      );
      const read = (): Uint8Array<ArrayBuffer> => new Uint8Array(values.buffer);
      const facts = { name, shape, dataType: 'float32', file: 'tiny', offset: 0 } as const;
      return [name, { ...facts, length: 4 * length, read }] as const;
    }),
  );
  return {
    path: 'tiny',
    names: [...tensors.keys()],
    get: (name) => tensors.get(name),
    close: () => undefined,
  };
}

function withoutGuard(model: Model): Model {
  const outputs = model.graph.outputs.filter(({ name }) => name !== 'fetch_guard');
  return { ...model, graph: { ...model.graph, outputs } };
}

/** As exporters write decoders: the logits of all positions. */
function withoutIndex(model: Model): Model {
  const inputs = model.graph.inputs.filter(({ name }) => name !== 'logits_index');
  const nodes = model.graph.nodes.map((node) =>
    node.inputs.includes('logits_index')
      ? { ...node, opType: 'Identity', inputs: node.inputs.slice(0, 1), attributes: new Map() }
      : node,
  );
  return { ...model, graph: { ...model.graph, inputs, nodes } };
}
