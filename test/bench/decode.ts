/**
 * `npm run bench`: decode speed of Lathe beside @huggingface/transformers and node-llama-cpp on the
 * same weights, in one run. Each engine lives in a process of its own and is asked in turns, one at
 * a time; figures are medians over the turns, and ratios are taken between neighbours in time.
 *
 *   --quick            contexts 128 and 1,024 in few rounds
 *   --rounds <n>       turns per engine and context (by default 6, 4 and 2)
 *   --contexts <list>  128,1024,4096
 *   --patience <s>     how long in all to wait for a machine that others leave alone; a turn in
 *                      which they did not is repeated while this lasts (by default 60)
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { architectureOf } from '../../main/architectures/index.ts';
import { physicalCores } from '../../main/engine/machine.ts';
import { runnerEnvironment } from '../../main/engine/runner/environment.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { startBandwidthProbe } from './bandwidth.ts';
import type { Ask } from './child.ts';
import { engineNames, type EngineName, type Sample } from './engines.ts';
import { writeExported } from './exported.ts';
import { writeGguf } from './gguf.ts';
import { untilQuiet, withForeignLoad } from './load.ts';
import { configS, writeModelS } from './modelS.ts';
import { installPeers } from './peers.ts';
import { startProductsProbe } from './products.ts';
import { report, type Measurement } from './report.ts';

const folder = join(import.meta.dirname, '..', '..', '.bench');
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    contexts: { type: 'string', default: '' },
    patience: { type: 'string', default: '60' },
  },
});
/** Tokens timed in one turn and turns by default, per context. */
const plan = new Map([
  [128, { count: 48, rounds: options.quick ? 3 : 6 }],
  [1024, { count: 24, rounds: options.quick ? 2 : 4 }],
  [4096, { count: 12, rounds: options.quick ? 1 : 2 }],
]);
const wanted = options.contexts || (options.quick ? '128,1024' : '128,1024,4096');
const contexts = wanted.split(',').map(Number);
/** Others may take this share of the machine during a turn. */
const foreignLimit = 0.06;
let patienceMs = 1000 * Number(options.patience);

prepare();
const versions = installPeers(join(folder, 'peers'));
const threads = physicalCores();
const children = new Map<EngineName, ChildProcess>();
for (const name of engineNames) children.set(name, await start(name));
/** Memory as any process has it, and as the weights of Lathe's runners lie in it. */
const plainMemory = await startBandwidthProbe(folder, threads, process.env);
const runnerMemory = await startBandwidthProbe(folder, threads, runnerEnvironment());
const products = await startProductsProbe(
  join(folder, 'lathe', 'fused.onnx'),
  threads,
  runnerEnvironment(),
);
const measurements: Measurement[] = [];
try {
  for (const context of contexts) await measure(context);
} finally {
  for (const child of children.values()) child.kill();
  plainMemory.close();
  runnerMemory.close();
  products.close();
}
const { table, goals, passed } = report(measurements);
console.log(table);
const results = { cpu: cpus()[0].model, threads, versions, measurements, goals };
writeFileSync(join(folder, 'results.json'), JSON.stringify(results, null, 2));
process.exitCode = passed ? 0 : 1;

/** The same weights for each engine, written once. */
function prepare(): void {
  const safetensors = join(folder, 'S', 'model.safetensors');
  writeModelS(join(folder, 'S'));
  writeGguf(safetensors, join(folder, 'model.gguf'));
  writeExported(safetensors, join(folder, 'exported'));
  const graph = join(folder, 'lathe', 'fused.onnx');
  if (existsSync(graph)) return;
  mkdirSync(join(folder, 'lathe'), { recursive: true });
  const tensors = openSafetensors(safetensors);
  saveModel(
    architectureOf(configS, join(folder, 'S', 'config.json')).build(tensors, 'fused'),
    graph,
  );
  tensors.close();
}

async function start(name: EngineName): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [name, folder, String(threads)], {
    serialization: 'advanced',
    // Each runs as its users have it: Lathe in a runner, the others in a plain Node process.
    env: name === 'lathe' ? runnerEnvironment() : process.env,
  });
  child.once('exit', (code) => {
    if (code) throw new Error(`${name} ended with code ${code}`);
  });
  await once(child, 'message');
  return child;
}

async function measure(context: number): Promise<void> {
  const { count, rounds } = plan.get(context) ?? { count: 24, rounds: 3 };
  const prompt = Array.from({ length: context }, (_, at) => 3 + ((at * 7919) % 31_000));
  const turns = Number(options.rounds ?? rounds);
  // Warms up caches, buffers and compilers; long prompts only repeat what short ones did.
  if (context < 2048) for (const name of engineNames) await ask(name, { prompt, count: 4 });
  for (let round = 0; round < turns; round++) {
    await untilQuiet(Math.min(patienceMs, 5000));
    const bandwidth = {
      plain: await plainMemory.measure(),
      runner: await runnerMemory.measure(),
    };
    const productsMs = await products.measure();
    for (const name of engineNames) {
      const turn = await askInQuiet(name, { prompt, count });
      const { result, foreign } = turn;
      measurements.push({ context, round, name, bandwidth, productsMs, foreign, ...result });
      console.log(
        `${context} tokens, turn ${round + 1} of ${turns}, ${name}: first token ${result.firstMs.toFixed(0)} ms`,
      );
    }
  }
}

/** The first turn that others left alone, or the one they disturbed least. */
async function askInQuiet(name: EngineName, question: Ask): ReturnType<typeof ask> {
  let best: Awaited<ReturnType<typeof ask>> | undefined;
  for (;;) {
    const waited = performance.now();
    await untilQuiet(patienceMs);
    patienceMs -= performance.now() - waited;
    const asked = performance.now();
    const turn = await ask(name, question);
    if (!best || turn.foreign < best.foreign) best = turn;
    if (best.foreign <= foreignLimit || patienceMs <= 0) return best;
    patienceMs -= performance.now() - asked;
  }
}

function ask(name: EngineName, question: Ask): Promise<{ result: Sample; foreign: number }> {
  const child = children.get(name);
  if (!child?.pid) throw new Error(`not started: ${name}`);
  return withForeignLoad([process.pid, child.pid], async () => {
    const answer = once(child, 'message');
    child.send(question);
    const [sample]: Sample[] = await answer;
    return sample;
  });
}
