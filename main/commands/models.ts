import { noPositionals } from './arguments.ts';
import type { Command } from './command.ts';
import { bytes, count, print, printJson, table } from './output.ts';

export const command: Command = {
  summary: 'list the models of the library',
  synopsis: '',
  options: {},
  usesRunner: false,
  check: noPositionals,
  async run({ engine, json }) {
    const client = await engine();
    const models = await client.models.list();
    if (json) return printJson(models);
    const rows = models.map((model) => [
      model.name,
      model.architecture,
      count(model.parameters),
      bytes(model.bytes),
      model.precision,
      String(model.contextLength),
      model.source,
    ]);
    const header = ['name', 'architecture', 'parameters', 'size', 'precision', 'context', 'source'];
    print(table(header, rows));
  },
};
