import type { ExportFile, ExportInput, Json } from './fileSet.ts';

/** Ids that generation begins, ends and pads with, and that both configurations may give. */
const tokenFields = ['bos_token_id', 'eos_token_id', 'pad_token_id'] as const;

/** Those ids, as generation_config.json says or else config.json. */
export function tokenIds({ config, generation }: ExportInput): Record<string, unknown> {
  return Object.fromEntries(
    tokenFields.flatMap((field) => {
      const value = generation?.[field] ?? config[field];
      return value === undefined || value === null ? [] : [[field, value]];
    }),
  );
}

/**
 * The settings that readers of Hugging Face folders expect and that a model may come without:
 * generation_config.json, and tokenizer_config.json with the chat template inside, where older
 * readers look for it.
 */
export function sidecars(input: ExportInput): ExportFile[] {
  const { generation, tokenizer, chatTemplate } = input;
  const files: ExportFile[] = [];
  if (generation === null) {
    files.push({ kind: 'json', path: 'generation_config.json', content: tokenIds(input) });
  }
  const settings: Json = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...tokenizer,
    ...(chatTemplate !== null && tokenizer?.['chat_template'] === undefined
      ? { chat_template: chatTemplate }
      : {}),
  };
  files.push({ kind: 'json', path: 'tokenizer_config.json', content: settings });
  return files;
}
