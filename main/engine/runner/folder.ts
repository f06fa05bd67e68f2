import { join } from 'node:path';
import * as z from 'zod';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { TensorFacts } from '../../../preload/contract/models.ts';
import type { Architecture } from '../../architectures/architecture.ts';
import { architectureOf } from '../../architectures/index.ts';
import { checkTensors } from '../../architectures/tensors.ts';
import { readFile } from '../../formats/files.ts';
import { parseJson, type JsonValue } from '../../formats/json.ts';
import type { NamedTensors } from '../../formats/namedTensors.ts';
import { openWeights } from '../../formats/weights.ts';
import { modelFiles } from '../../library/modelFiles.ts';
import type { Inspection } from './contract.ts';
import { contextLengthOf, graphTensors, inspectGraph, openGraph, ownGraph } from './onnxFolder.ts';
import { readTokenizer } from './tokenizer.ts';

/** Published configurations have some kilobytes. */
const MAX_CONFIG_BYTES = 4 * 2 ** 20;

/** The longest model cards have some hundred kilobytes. */
const MAX_CARD_BYTES = 4 * 2 ** 20;

/** config.json of a model folder, read and understood. */
export interface ReadConfig {
  readonly bytes: Uint8Array;
  readonly json: Record<string, unknown>;
  readonly architecture: Architecture;
}

export function readConfig(folder: string): ReadConfig {
  const { bytes, json, file } = readConfigFile(folder);
  return { bytes, json, architecture: architectureOf(json, file) };
}

/** config.json of a model folder as it stands; a folder with its own graph needs no more of it. */
export const readConfigFile = (folder: string) => readJsonFile(folder, 'config.json');

/** A configuration of a model folder as it stands. */
export function readJsonFile(folder: string, name: string) {
  const file = join(folder, name);
  const bytes = readFile(file, MAX_CONFIG_BYTES);
  const json = plain(parseJson(bytes, { file, offset: 0 }));
  const object = z.record(z.string(), z.unknown()).safeParse(json);
  if (!object.success) {
    throw new LatheError('config_invalid', `${name} must be an object (${file})`, { file });
  }
  return { file, bytes, json: object.data };
}

/** Reads everything that running the model will need, and so finds what is wrong before. */
export async function inspectFolder(folder: string): Promise<Inspection> {
  const graph = ownGraph(folder);
  const found = graph === null ? inspectWeights(folder) : inspectOwnGraph(folder, graph);
  const tokenizer = await readTokenizer(folder);
  const card = readCard(folder);
  return {
    ...found,
    bytes: modelFiles(folder)
      .filter((file) => file.role === 'weights')
      .reduce((sum, file) => sum + file.bytes, 0),
    licence: licenceOf(folder, card),
    config: readConfigFile(folder).json,
    card,
    chatTemplate: tokenizer.chatTemplate,
  };
}

function inspectWeights(folder: string): ReturnType<typeof inspectGraph> {
  const { json, architecture } = readConfig(folder);
  const tensors = openWeights(folder);
  try {
    checkTensors(tensors, architecture.requiredTensors());
    const { modelType, parameters, contextLength, vocabularySize } = architecture;
    return {
      architecture: modelType,
      parameters,
      contextLength,
      vocabularySize,
      precision: precisionOf(tensors),
      sizes: sizesOf(json, architecture),
    };
  } finally {
    tensors.close();
  }
}

function inspectOwnGraph(folder: string, file: string): ReturnType<typeof inspectGraph> {
  const model = openGraph(folder, file);
  try {
    return inspectGraph(model, file, readConfigFile(folder).json);
  } finally {
    model.close();
  }
}

/** The longest text that a model reads, in tokens. */
export function contextLengthIn(folder: string): number {
  const file = ownGraph(folder);
  if (file === null) return readConfig(folder).architecture.contextLength;
  const model = openGraph(folder, file);
  try {
    return contextLengthOf(model, readConfigFile(folder).json);
  } finally {
    model.close();
  }
}

/** The tensors of all weight files, in their order. */
export function tensorTable(folder: string): TensorFacts[] {
  const graph = ownGraph(folder);
  if (graph !== null) {
    const model = openGraph(folder, graph);
    try {
      return graphTensors(model, graph);
    } finally {
      model.close();
    }
  }
  const tensors = openWeights(folder);
  try {
    return tensors.names.flatMap((name) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) return [];
      const { dataType, shape, length, file } = tensor;
      return [{ name, dataType, shape: [...shape], bytes: length, file }];
    });
  } finally {
    tensors.close();
  }
}

/** Maps as objects: for what leaves this process, where keys such as `__proto__` are only data. */
function plain(value: JsonValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Storage type that holds the most bytes. */
function precisionOf(tensors: NamedTensors): string {
  const bytes = new Map<string, number>();
  for (const name of tensors.names) {
    const tensor = tensors.get(name);
    if (tensor) bytes.set(tensor.dataType, (bytes.get(tensor.dataType) ?? 0) + tensor.length);
  }
  const [most] = [...bytes].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? 'none';
}

const sizeFields = z.object({
  hidden_size: z.number(),
  intermediate_size: z.number(),
  num_attention_heads: z.number(),
});

function sizesOf(json: unknown, architecture: Architecture): Inspection['sizes'] {
  const fields = sizeFields.parse(json);
  const perLayer = architecture.cacheShape('fused', 1).reduce((product, size) => product * size, 1);
  return {
    cachePerToken: 2 * architecture.layers * perLayer,
    hidden: fields.hidden_size,
    inner: fields.intermediate_size,
    heads: fields.num_attention_heads,
  };
}

function readCard(folder: string): string | null {
  return readText(folder, /^readme(\.md|\.txt)?$/i);
}

/** What the card's front matter says, else how the licence file begins. */
function licenceOf(folder: string, card: string | null): string | null {
  const frontMatter = /^---\r?\n(.*?)\r?\n---/s.exec(card ?? '')?.[1];
  const stated = /^license:\s*['"]?([^'"\r\n]+?)['"]?\s*$/m.exec(frontMatter ?? '')?.[1];
  if (stated !== undefined) return stated.slice(0, 80);
  const lines = (readText(folder, /^licen[sc]e(\.md|\.txt)?$/i) ?? '').split('\n');
  const title = lines.map((line) => line.trim()).find((line) => line !== '');
  return title?.slice(0, 80) ?? null;
}

function readText(folder: string, name: RegExp): string | null {
  const file = modelFiles(folder).find((known) => known.role === 'text' && name.test(known.name));
  if (file === undefined) return null;
  return new TextDecoder().decode(readFile(join(folder, file.name), MAX_CARD_BYTES));
}
