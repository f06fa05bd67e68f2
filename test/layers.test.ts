import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
/** A scratch copy of the house: the real settings, and nothing but the planted files. */
let house: string;

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'lathe-layers-'));
  for (const file of [
    '.oxlintrc.json',
    'package.json',
    'tsconfig.base.json',
    'preload/contract',
    'preload/tsconfig.json',
    'main/tsconfig.json',
    'renderer/tsconfig.json',
  ]) {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    cpSync(join(root, file), join(house, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
});

afterAll(() => rmSync(house, { recursive: true, force: true }));

/** Runs a tool of the project in the scratch house; resolves to its exit code and what it printed. */
function tool(name: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(join(root, 'node_modules/.bin', name), args, { cwd: house }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

function plant(file: string, source: string): void {
  mkdirSync(dirname(join(house, file)), { recursive: true });
  writeFileSync(join(house, file), source);
}

/** Planted file → an import its folder must not have, and what the lint rule says of it. */
const illegal: [file: string, imported: string, reason: string][] = [
  ['main/numeric/planted.ts', '../onnx/model.ts', 'numeric stands at the bottom'],
  ['main/tokenizer/planted.ts', '../onnx/model.ts', 'tokenizer may import numeric'],
  ['main/formats/planted.ts', 'node:fs', 'files are opened in files.ts only'],
  ['main/onnx/planted.ts', 'node:fs', 'onnx may import formats'],
  ['main/onnx/planted.ts', 'onnxruntime-node', 'onnx may import formats'],
  ['main/architectures/planted.ts', '../inference/session.ts', 'architectures may import onnx'],
  ['main/passes/planted.ts', 'onnxruntime-node', 'passes may import onnx'],
  ['main/export/planted.ts', 'node:fs', 'export may import passes'],
  ['main/export/planted.ts', '../library/library.ts', 'export may import passes'],
  ['main/inference/planted.ts', 'onnxruntime-node', 'onnxruntime-node in session.ts only'],
  ['main/inference/planted.ts', '../passes/pass.ts', 'inference may import tokenizer'],
  ['main/capture/planted.ts', '../engine/engine.ts', 'capture may not reach the engine'],
  ['main/evaluation/planted.ts', 'electron', 'evaluation may not reach the engine'],
  ['main/library/planted.ts', '../inference/session.ts', 'library may import onnx'],
  ['main/engine/planted.ts', '../app/window.ts', 'engine may not import main/app'],
  ['main/engine/planted.ts', 'electron', 'engine may not import main/app'],
  ['main/commands/planted.ts', 'onnxruntime-node', 'commands may not import main/app'],
  ['main/server/planted.ts', 'electron', 'server may not import main/app'],
  [
    'main/app/planted.ts',
    '../engine/engine.ts',
    'main/app talks to Electron and the contract only',
  ],
  ['renderer/charts/planted.ts', 'react', 'charts are pure drawing'],
  ['renderer/charts/planted.ts', '../state/models.ts', 'charts are pure drawing'],
  ['renderer/state/planted.ts', 'react', 'state works without React'],
  [
    'renderer/views/library/planted.ts',
    '../../engine/client.ts',
    'views reach the engine through state',
  ],
  ['renderer/views/library/planted.ts', 'node:fs', 'views reach the engine through state'],
  ['preload/contract/planted.ts', 'node:path', 'the contract knows no runtime'],
];

describe('the lint rules', () => {
  it.each(illegal)('object to %s importing %s', async (file, imported, reason) => {
    plant(file, `import * as planted from '${imported}';\nexport const use = planted;\n`);
    const { code, output } = await tool('oxlint', [file]);
    rmSync(join(house, file));
    expect(code).not.toBe(0);
    expect(output).toContain(reason);
  });

  it('let an import downwards pass', async () => {
    plant(
      'main/onnx/planted.ts',
      "import { toFloat32 } from '../numeric/float.ts';\ntoFloat32();\n",
    );
    const { output } = await tool('oxlint', ['main/onnx/planted.ts']);
    rmSync(join(house, 'main/onnx/planted.ts'));
    expect(output).not.toContain('no-restricted-imports');
  });
});

/** Planted file → an import or global that its side's compiler settings must not know. */
const foreign: [project: string, file: string, source: string, says: string][] = [
  [
    'preload/contract',
    'preload/contract/planted.ts',
    "import fs from 'node:fs';\nexport const use = fs;\n",
    'node:fs',
  ],
  [
    'preload/contract',
    'preload/contract/planted.ts',
    'export const use = document.title;\n',
    'document',
  ],
  [
    'renderer',
    'renderer/planted.ts',
    "import fs from 'node:fs';\nexport const use = fs;\n",
    'node:fs',
  ],
  ['main', 'main/planted.ts', 'export const use = document.title;\n', 'document'],
];

describe('the compiler', () => {
  it.each(foreign)(
    'objects in %s (%s)',
    { timeout: 60_000 },
    async (project, file, source, says) => {
      plant(file, source);
      const { code, output } = await tool('tsc', ['-b', project]);
      rmSync(join(house, file));
      expect(code).not.toBe(0);
      expect(output).toContain('planted.ts');
      expect(output).toContain(says);
    },
  );
});
