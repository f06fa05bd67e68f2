import { LatheError } from '../../preload/contract/errors.ts';
import { describe, isObject, nameOf, readJsonObject, readText } from './json.ts';
import type { JsonObject, SourceFile } from './json.ts';

/** Bytes of any of the small JSON files beside a tokenizer.json. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

/** The files of a model folder that say how its tokens are used; each may be missing. */
export interface SpecialTokenFiles {
  /** tokenizer_config.json */
  readonly config?: SourceFile | undefined;
  /** generation_config.json */
  readonly generation?: SourceFile | undefined;
  /** config.json */
  readonly modelConfig?: SourceFile | undefined;
  /** chat_template.jinja or chat_template.json */
  readonly chatTemplate?: SourceFile | undefined;
}

/** What those files say together. */
export interface SpecialTokens {
  beginOfText: number | null;
  endOfText: Set<number>;
  /** Texts by the names chat templates use: bos_token, eos_token, unk_token, pad_token. */
  texts: Record<string, string>;
  chatTemplate: string | null;
}

interface Vocabulary {
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
}

/**
 * Gathers beginning and end of text and the chat template. A text ends at each of the tokens that
 * any of the files calls its end: instruction models name the end of a turn in one of them only.
 * For the beginning, tokenizer_config.json goes before generation_config.json before config.json.
 * Of several chat templates the one named "default" counts, and a file of its own before
 * tokenizer_config.json, as in transformers.
 */
export function readSpecialTokens(
  files: SpecialTokenFiles,
  config: JsonObject,
  vocabulary: Vocabulary,
): SpecialTokens {
  const others = [files.generation, files.modelConfig].map((file) => ({
    file,
    json: file === undefined ? {} : readConfig(file, 'config_invalid'),
  }));
  const texts: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'unk_token', 'pad_token']) {
    const text = tokenText(config[name]);
    if (text !== undefined) texts[name] = text;
  }
  const idsNamed = (name: string): number[] =>
    others.flatMap(({ file, json }) => readIds(json[name], name, file));
  const idOf = (name: string): number[] => {
    const id = texts[name] === undefined ? undefined : vocabulary.idOf(texts[name]);
    return id === undefined ? [] : [id];
  };
  const begins = [...idOf('bos_token'), ...idsNamed('bos_token_id')];
  const ends = [...idOf('eos_token'), ...idsNamed('eos_token_id')];
  for (const [name, [id]] of [['bos_token', begins] as const, ['eos_token', ends] as const]) {
    const text = id === undefined ? undefined : vocabulary.tokenOf(id);
    if (texts[name] === undefined && text !== undefined) texts[name] = text;
  }
  return {
    beginOfText: begins[0] ?? null,
    endOfText: new Set(ends),
    texts,
    chatTemplate: readChatTemplate(files) ?? chooseTemplate(config['chat_template'], files.config),
  };
}

/** tokenizer_config.json as it is; empty when there is none. */
export function readTokenizerConfig({ config }: SpecialTokenFiles): JsonObject {
  return config === undefined ? {} : readConfig(config, 'tokenizer_invalid');
}

function readConfig(file: SourceFile, code: 'tokenizer_invalid' | 'config_invalid'): JsonObject {
  return readJsonObject(file, { code, limit: CONFIG_LIMIT });
}

/** A token in a configuration is its text, or an object that has it as `content`. */
function tokenText(token: unknown): string | undefined {
  const text = isObject(token) ? token['content'] : token;
  return typeof text === 'string' ? text : undefined;
}

/** One id, a list of ids, or none (null). */
function readIds(value: unknown, name: string, file: SourceFile | undefined): number[] {
  if (value === undefined || value === null || file === undefined) return [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
    throw new LatheError(
      'config_invalid',
      `${nameOf(file)}: ${name} is not a token id: ${describe(id)}`,
      { file: file.path, value: describe(id) },
    );
  });
}

function readChatTemplate({ chatTemplate: file }: SpecialTokenFiles): string | null {
  if (file === undefined) return null;
  if (!file.path.endsWith('.json')) return readText(file, 'template_invalid');
  const json = readJsonObject(file, { code: 'template_invalid', limit: CONFIG_LIMIT });
  return chooseTemplate(json['chat_template'], file);
}

/** A template is a text, or a list of {name, template}. */
function chooseTemplate(value: unknown, file: SourceFile | undefined): string | null {
  if (value === undefined || value === null || file === undefined) return null;
  if (typeof value === 'string') return value;
  const named = Array.isArray(value) ? value.filter(isObject) : [];
  const chosen = named.find(({ name }) => name === 'default') ?? named[0];
  if (chosen !== undefined && typeof chosen['template'] === 'string') return chosen['template'];
  throw new LatheError(
    'template_invalid',
    `${nameOf(file)}: chat_template is neither a text nor a list of named templates: ${describe(value)}`,
    { file: file.path },
  );
}
