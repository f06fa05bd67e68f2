import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CompressJob, VariantReport } from '../../../preload/contract/jobs.ts';
import { copyDurably } from '../../library/copy.ts';
import { hashFile, identify } from '../../library/hashes.ts';
import type { FileHash, Manifest } from '../../library/manifest.ts';
import { modelFiles } from '../../library/modelFiles.ts';
import type { Core } from '../core.ts';
import { manifestOf } from '../openModel.ts';
import type { Inspection } from '../runner/contract.ts';
import { systemInfo } from '../system.ts';

/** Files beside the weights that a job writes itself, or that the result has no use for. */
const notCopied = new Set(['config.json', 'model.safetensors.index.json']);

export interface Publication {
  readonly job: CompressJob;
  readonly parent: Manifest;
  /** Graph and config.json of the result; it becomes the variant's folder. */
  readonly folder: string;
  /** Reads a folder in a runner. */
  readonly inspect: (folder: string) => Promise<Inspection>;
  readonly signal: AbortSignal;
}

/**
 * Makes a variant of what a job gave: tokenizer and licence of the model it was made from beside it,
 * everything read once as it will be, hashed, written down; then it takes its name in one step.
 */
export async function publish(
  core: Core,
  { job, parent, folder, inspect, signal }: Publication,
): Promise<Manifest> {
  // What a run left that ended just here.
  rmSync(join(folder, 'lathe.json'), { force: true });
  for (const { name, role } of modelFiles(parent.record.folder)) {
    if (role === 'weights' || notCopied.has(name)) continue;
    rmSync(join(folder, name), { force: true });
    await copyDurably(join(parent.record.folder, name), join(folder, name), { signal });
  }
  const inspection = await inspect(folder);
  const files: FileHash[] = [];
  for (const { name, bytes } of modelFiles(folder)) {
    files.push({ name, bytes, sha256: await hashFile(join(folder, name), { signal }) });
  }
  signal.throwIfAborted();
  const identity = { name: job.name, source: 'library', folder } as const;
  const { record, ...rest } = manifestOf(inspection, files, identity);
  const published = core.library.models.add(folder, {
    ...rest,
    record: { ...record, parent: parent.record.name },
    made: { job: job.id, ...reportOf(core, job, parent) },
  });
  // They were read a moment ago, under another path.
  for (const { name, sha256 } of files) {
    const path = join(published.record.folder, name);
    core.library.hashes.record(path, identify(path), sha256);
  }
  return published;
}

function reportOf(core: Core, { recipe, passes }: CompressJob, parent: Manifest): VariantReport {
  const { version, node, onnxruntime } = systemInfo(core);
  return {
    parent: parent.record.name,
    parentSha256: parent.record.sha256,
    recipe,
    passes,
    seconds: passes.reduce((sum, pass) => sum + pass.seconds, 0),
    madeAt: Date.now(),
    versions: { lathe: version, node, onnxruntime },
  };
}
