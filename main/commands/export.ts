import { exportFormatSchema, type ExportFormat } from '../../preload/contract/export.ts';
import { newPath, onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { modelOf } from './model.ts';
import { bytes, noteProgress, print, printJson, table } from './output.ts';

const formats = exportFormatSchema.options.join('|');

export const command: Command = {
  summary: 'write a model into a folder that runs elsewhere',
  synopsis: '<model> --to DIR --format F',
  options: {
    to: { placeholder: 'DIR', help: 'the folder to write; it must be new or empty' },
    format: { placeholder: 'F', help: `what the folder is for: ${formats}` },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    folderOf(args);
    formatOf(args);
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const request = { model, folder: folderOf(args), format: formatOf(args) };
    for await (const event of await client.models.export(request, { signal })) {
      if (event.kind === 'progress') {
        noteProgress(event);
        continue;
      }
      const { kind: _, ...result } = event;
      if (json) {
        printJson(result);
        continue;
      }
      const rows = result.files.map((file) => [file.path, bytes(file.bytes), file.sha256]);
      print(`${table(['file', 'size', 'sha256'], rows)}\n\n${result.folder}`);
    }
  },
};

function folderOf(args: Arguments): string {
  const typed = args.text('to');
  if (typed === undefined || typed === '') throw new UsageError('--to is missing');
  return newPath(typed);
}

function formatOf(args: Arguments): ExportFormat {
  const typed = args.text('format');
  if (typed === undefined) throw new UsageError(`--format is missing: ${formats}`);
  const format = exportFormatSchema.safeParse(typed);
  if (format.success) return format.data;
  throw new UsageError(`--format must be one of ${formats}: ${typed}`);
}
