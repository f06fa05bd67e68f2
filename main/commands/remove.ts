import { onlyPositional } from './arguments.ts';
import type { Command } from './command.ts';
import { modelOf } from './model.ts';
import { note, print, printJson } from './output.ts';

export const command: Command = {
  summary: 'move a model of the library to the trash',
  synopsis: '<model>',
  options: {},
  usesRunner: false,
  check(args) {
    onlyPositional(args, 'model');
  },
  async run({ args, engine, json }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const models = await client.models.list();
    const record = models.find(({ name, folder }) => name === model || folder === model);
    const { trashId } = await client.models.remove({ model });
    if (json) return printJson({ model, trashId });
    if (record?.source === 'folder') print(`${model} is forgotten; its folder stays as it is.`);
    else print(`${model} is in the trash.`);
    note(`lathe restore ${trashId} brings it back.`);
  },
};
