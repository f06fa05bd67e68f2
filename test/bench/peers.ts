import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = ['@huggingface/transformers', 'node-llama-cpp'];

/**
 * Installs the engines to compare with into a folder of their own, unless they are there, and
 * gives their versions. They are no dependencies of the project.
 */
export function installPeers(folder: string): Record<string, string> {
  if (!packages.every((name) => existsSync(manifestOf(folder, name)))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    // Resolved from inside the folder, where they are installed.
    writeFileSync(join(folder, 'transformers.js'), `export * from '${packages[0]}';\n`);
    writeFileSync(join(folder, 'llama.js'), `export * from '${packages[1]}';\n`);
    console.log(`installing ${packages.join(' and ')} into ${folder} …`);
    // onnxruntime-node would download CUDA, node-llama-cpp would build: neither is needed.
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
      shell: process.platform === 'win32',
    });
  }
  return Object.fromEntries(
    packages.map((name) => {
      const { version }: { version: string } = JSON.parse(
        readFileSync(manifestOf(folder, name), 'utf8'),
      );
      return [name, version];
    }),
  );
}

const manifestOf = (folder: string, name: string): string =>
  join(folder, 'node_modules', name, 'package.json');
