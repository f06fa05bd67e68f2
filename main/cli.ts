#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import {
  commonOptions,
  libraryFolder,
  parseArguments,
  UsageError,
  type Options,
} from './commands/arguments.ts';
import { interruptedCode, type Command } from './commands/command.ts';
import { suggestion } from './library/nearest.ts';

/** Loaded one at a time: a command starts as fast as what it needs itself. */
const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  models: () => import('./commands/models.ts'),
  import: () => import('./commands/import.ts'),
  remove: () => import('./commands/remove.ts'),
  restore: () => import('./commands/restore.ts'),
  show: () => import('./commands/show.ts'),
  tokenize: () => import('./commands/tokenize.ts'),
  generate: () => import('./commands/generate.ts'),
  bench: () => import('./commands/bench.ts'),
  recipes: () => import('./commands/recipes.ts'),
  compress: () => import('./commands/compress.ts'),
  export: () => import('./commands/export.ts'),
  evaluate: () => import('./commands/evaluate.ts'),
  attention: () => import('./commands/attention.ts'),
  lens: () => import('./commands/lens.ts'),
  diff: () => import('./commands/diff.ts'),
  sweep: () => import('./commands/sweep.ts'),
  studio: () => import('./commands/studio.ts'),
};

const stop = new AbortController();
/** One Ctrl-C may come twice: from the terminal, and from a parent that passes it on. */
const sameStopMs = 500;
let stoppedAt = Infinity;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (performance.now() - stoppedAt > sameStopMs) process.exit(interruptedCode);
    if (stop.signal.aborted) return;
    stoppedAt = performance.now();
    stop.abort();
  });
}
// The reader of a pipe may leave early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`lathe: the output cannot be written: ${error.message}\n`);
  process.exit(1);
});
// Remarks that nobody reads are no reason to end the work.
process.stderr.on('error', () => undefined);

const typed = process.argv.slice(2);
// Compiled code is kept, here and in the runners: it halves the time they take to start.
const homeAt = typed.findLastIndex((word) => /^--home(=|$)/.test(word));
const typedHome = homeAt < 0 ? undefined : (/=(.*)/s.exec(typed[homeAt])?.[1] ?? typed[homeAt + 1]);
const codeCache = join(libraryFolder(typedHome), 'cache', 'code');
process.env['NODE_COMPILE_CACHE'] ??= codeCache;
enableCompileCache(process.env['NODE_COMPILE_CACHE']);

const exitCode = await run(typed).catch((error: unknown) =>
  report(error, typed.includes('--json')),
);
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
process.exit(exitCode);

async function run([name = '--help', ...rest]: string[]): Promise<number> {
  if (name === 'help' && rest.length > 0) return run([...rest, '--help']);
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(await overview());
    return 0;
  }
  if (name === '--version') {
    const { resourcesPath } = await import('./library/resources.ts');
    const { versionIn } = await import('./engine/system.ts');
    process.stdout.write(`${versionIn(join(resourcesPath(), '..', 'package.json'))}\n`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    const meant = suggestion(name, Object.keys(commands));
    throw new UsageError(`unknown command: ${name}${meant} (lathe --help lists them)`);
  }
  const { command } = await load();
  const options = { ...command.options, ...commonOptions };
  const args = parseArguments(rest, options);
  if (args.has('help')) {
    process.stdout.write(helpText(name, command, options));
    return 0;
  }
  command.check(args);
  const { openEngine } = await import('./commands/engine.ts');
  const opened = openEngine(args, command.usesRunner);
  try {
    const { engine, whole } = opened;
    const context = { args, json: args.has('json'), signal: stop.signal, engine, whole };
    return (await command.run(context)) ?? 0;
  } finally {
    await opened.close();
  }
}

async function report(error: unknown, json: boolean): Promise<number> {
  const { failureOf } = await import('./commands/failure.ts');
  const { text, document, code } = failureOf(error, stop.signal.aborted);
  if (json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else process.stderr.write(`lathe: ${text}\n`);
  return stop.signal.aborted ? interruptedCode : code;
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => {
      const { command } = await load();
      return `  ${name.padEnd(11)}${command.summary}`;
    }),
  );
  return [
    'Usage: lathe <command> …\n',
    ...lines,
    '\nlathe <command> --help says more. <model> is a name of the library or a folder.\n',
  ].join('\n');
}

function helpText(name: string, command: Command, options: Options): string {
  const rows = Object.entries(options).map(([option, { placeholder, help }]) => [
    placeholder === undefined ? `--${option}` : `--${option} ${placeholder}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join('\n');
  const usage = `Usage: lathe ${name} ${command.synopsis}`.trimEnd();
  return `${usage}\n\n${command.summary}\n\n${lines}\n`;
}
