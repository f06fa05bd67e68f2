import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Progress } from '../../../preload/contract/models.ts';
import type { ExportFile } from '../../export/fileSet.ts';
import { exportFiles } from '../../export/index.ts';
import { writeText } from '../../formats/files.ts';
import { writeSafetensors } from '../../formats/writeSafetensors.ts';
import { nextTurn } from '../../numeric/linearAlgebra/multiply.ts';
import { saveModel } from '../../onnx/save.ts';
import { progressOf } from '../progress.ts';
import type { ExportFilesRequest } from './contract.ts';
import { readJsonFile } from './folder.ts';
import { inputFor, openInput } from './passInput.ts';
import { readTokenizer } from './tokenizer.ts';

/** Writes the files of an export that are computed: graph or weights, and their settings. */
export async function* writeExport(
  { folder, format, target, passes }: ExportFilesRequest,
  signal: AbortSignal,
): AsyncGenerator<Progress | { kind: 'done' }> {
  yield { kind: 'progress', stage: 'reading the model' };
  const opened = openInput(folder);
  try {
    const { model, config } = await inputFor(opened, []);
    const json = (name: string): Record<string, unknown> | null =>
      existsSync(join(folder, name)) ? readJsonFile(folder, name).json : null;
    const files = exportFiles[format]({
      model,
      config,
      passes,
      generation: json('generation_config.json'),
      tokenizer: json('tokenizer_config.json'),
      chatTemplate: (await readTokenizer(folder)).chatTemplate,
    });
    for (const file of files) {
      signal.throwIfAborted();
      yield* progressOf((report) => writeFile(target, file, report, signal));
    }
    yield { kind: 'done' };
  } finally {
    opened.close();
  }
}

async function writeFile(
  target: string,
  file: ExportFile,
  report: (stage: string, fraction: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = join(target, file.path);
  const stage = `writing ${file.path}`;
  mkdirSync(dirname(path), { recursive: true });
  switch (file.kind) {
    case 'json':
      return writeText(path, `${JSON.stringify(file.content, null, 2)}\n`);
    case 'graph':
      report(stage, 0);
      await nextTurn(signal);
      saveModel(file.model, path, file.ending);
      return;
    case 'tensors':
      await writeSafetensors(path, file.tensors, async (written, total) => {
        report(stage, written / total);
        await nextTurn(signal);
      });
      file.check();
  }
}
