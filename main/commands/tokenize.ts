import { onlyPositional, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { modelOf } from './model.ts';
import { print, printJson, table } from './output.ts';

export const command: Command = {
  summary: 'split a text into tokens',
  synopsis: '<model> --text T',
  options: { text: { placeholder: 'T', help: 'the text' } },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    if (!args.has('text')) throw new UsageError('--text is missing');
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const prompt = { kind: 'completion', text: args.text('text') ?? '' } as const;
    const tokens = await client.tokenize({ model, prompt }, { signal });
    if (json) return printJson(tokens);
    const rows = tokens.map((token) => [
      String(token.id),
      JSON.stringify(token.text),
      hex(token.bytes),
    ]);
    print(table(['id', 'text', 'bytes'], rows));
  },
};

const hex = (values: readonly number[]): string =>
  values.map((value) => value.toString(16).padStart(2, '0')).join(' ');
