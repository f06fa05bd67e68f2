import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decoder } from '../../main/inference/decoder.ts';
import type { Model } from '../../main/onnx/model.ts';
import { saveModel } from '../../main/onnx/save.ts';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A graph as a decoder, with files that go when the process ends. */
export async function openTemporary(model: Model, contextLength = 64): Promise<Decoder> {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-decoder-'));
  folders.push(folder);
  const file = join(folder, 'model.onnx');
  saveModel(model, file);
  return Decoder.open(file, { threads: 1, device: 'cpu', contextLength });
}
