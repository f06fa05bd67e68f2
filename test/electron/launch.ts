import { readFileSync, statSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from './app.ts';
import { closeAll, pageClosed } from './browserWindow.ts';
import { startBrowser, stopBrowser } from './browser.ts';
import { killUtilities } from './utilityProcess.ts';

/** Starts an application as Electron's binary would: `electron [-r file] [switches] <folder>`. */

process.argv.splice(0, 2); // node and this file: argv[0] is the binary from here on
Object.assign(process, { type: 'browser' });
Object.assign(process.versions, { electron: '45.0.0-stand-in' });
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron'
      ? { url: new URL('./module.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});

const start = readArguments(process.argv.slice(1));
const shutdown = (): void => {
  killUtilities();
  stopBrowser();
};
app.configure(dirname(start.packageFile), closeAll, shutdown);
process.on('exit', shutdown);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());

// Electron warns of these and goes on.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`electron stand-in: unhandled rejection: ${String(reason)}\n`);
});

const require = createRequire(import.meta.url);
for (const file of start.preloaded) require(file);
await import(pathToFileURL(start.main).href);
await startBrowser([...app.switches, ...start.debugging], pageClosed);
app.becomeReady();

interface Start {
  /** The application's main module. */
  main: string;
  packageFile: string;
  /** Files given by -r, to run before it. */
  preloaded: string[];
  /** Switches that open Chromium to a second client. */
  debugging: string[];
}

function readArguments(values: readonly string[]): Start {
  const preloaded = values.filter((_value, index) => values[index - 1] === '-r');
  const debugging = values.filter((value) => value.startsWith('--remote-debugging-port='));
  const folder = values.find((value) => !value.startsWith('-') && !preloaded.includes(value));
  const path = resolve(folder ?? '.');
  if (!statSync(path).isDirectory()) {
    return { main: path, packageFile: join(dirname(path), 'package.json'), preloaded, debugging };
  }
  const packageFile = join(path, 'package.json');
  const { main } = JSON.parse(readFileSync(packageFile, 'utf8')) as { main: string };
  return { main: join(path, main), packageFile, preloaded, debugging };
}
