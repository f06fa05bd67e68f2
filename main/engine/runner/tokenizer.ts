import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFile } from '../../formats/files.ts';
import { identify } from '../../library/hashes.ts';
import { openTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts';

/** The tokenizer's own limit is stricter; nothing else in these files is large. */
const MAX_TOKENIZER_BYTES = 64 * 2 ** 20;

const names = {
  tokenizer: 'tokenizer.json',
  config: 'tokenizer_config.json',
  generation: 'generation_config.json',
  modelConfig: 'config.json',
  jinja: 'chat_template.jinja',
  template: 'chat_template.json',
} as const;

/** The one read last: a large vocabulary takes a second, and an editor asks at every key. */
let latest: { state: string; tokenizer: Tokenizer } | null = null;

/** The tokenizer of a model folder, with what its sidecar files say about special tokens and chat. */
export async function readTokenizer(folder: string): Promise<Tokenizer> {
  const present = Object.values(names).filter((name) => existsSync(join(folder, name)));
  const state = JSON.stringify([folder, present.map((name) => identify(join(folder, name)))]);
  if (latest?.state === state) return latest.tokenizer;
  const tokenizer = await openFolder(folder);
  latest = { state, tokenizer };
  return tokenizer;
}

async function openFolder(folder: string): Promise<Tokenizer> {
  const read = (name: string): { path: string; bytes: Uint8Array } => {
    const path = join(folder, name);
    return { path, bytes: readFile(path, MAX_TOKENIZER_BYTES) };
  };
  const optional = (name: string): ReturnType<typeof read> | undefined =>
    existsSync(join(folder, name)) ? read(name) : undefined;
  return openTokenizer({
    tokenizer: read(names.tokenizer),
    config: optional(names.config),
    generation: optional(names.generation),
    modelConfig: read(names.modelConfig),
    chatTemplate: optional(names.jinja) ?? optional(names.template),
  });
}
