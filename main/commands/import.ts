import { newName, onlyPositional, typedPath, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { refuseFile } from './model.ts';
import { bytes, noteProgress, print, printJson } from './output.ts';

export const command: Command = {
  summary: 'copy a model folder into the library',
  synopsis: '<folder> [--name N]',
  options: { name: { placeholder: 'N', help: "name in the library (default: the folder's)" } },
  usesRunner: true,
  check(args) {
    newName(args);
    const source = onlyPositional(args, 'folder');
    if (source.startsWith('hf:')) {
      throw new UsageError(`only folders can be imported, download it first: ${source}`);
    }
    refuseFile(typedPath(source));
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const path = typedPath(onlyPositional(args, 'folder'));
    const events = await client.models.import({ path, ...newName(args) }, { signal });
    for await (const event of events) {
      if (event.kind === 'progress') noteProgress(event);
      else if (json) printJson(event.model);
      else print(`${event.model.name}: ${bytes(event.model.bytes)} in ${event.model.folder}`);
    }
  },
};
