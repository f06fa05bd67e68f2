import { onlyPositional } from './arguments.ts';
import type { Command } from './command.ts';
import { print, printJson } from './output.ts';

export const command: Command = {
  summary: 'bring a model back from the trash',
  synopsis: '<id>',
  options: {},
  usesRunner: false,
  check(args) {
    onlyPositional(args, 'id');
  },
  async run({ args, engine, json }) {
    const client = await engine();
    const record = await client.models.restore({ trashId: onlyPositional(args, 'id') });
    if (json) printJson(record);
    else print(`${record.name} is back: ${record.folder}`);
  },
};
