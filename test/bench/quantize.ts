/**
 * `npm run bench:quantize`: what compression costs in bits per byte on held-out stories, and what it
 * brings in size, time and speed on the synthetic model S. Orders that must hold decide the exit
 * code; the rest is printed as it is.
 *
 *   --stories <n>   held-out stories (by default 60)
 *   --only <text>   rows whose label has this text
 *   --skip <list>   quality, S
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { architectureOf } from '../../main/architectures/index.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { resourcesPath } from '../../main/library/resources.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { configS, writeModelS } from './modelS.ts';
import { pruneRows } from './pruneRows.ts';
import { heldOutStories, measureQuality, type QualityRow } from './quality.ts';
import { quantizeRows } from './quantizeRows.ts';
import type { SizedRun } from './quantizeS.ts';

const { values: options } = parseArgs({
  options: {
    stories: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    skip: { type: 'string', default: '' },
  },
});
const bench = join(import.meta.dirname, '..', '..', '.bench');
const skipped = options.skip.split(',');
/** Every claim that decides the exit code. */
const claims: { claim: string; holds: boolean; found: string }[] = [];
const results: Record<string, unknown> = {};

if (!skipped.includes('quality')) {
  const models = [
    join(resourcesPath(), 'models', 'tiny-stories'),
    join(bench, '..', '..', 'shared', 'data', 'models', 'stories260K'),
  ];
  for (const folder of models.filter((one) => existsSync(one))) await quality(folder);
}
if (!skipped.includes('S')) await sized();
mkdirSync(bench, { recursive: true });
writeFileSync(join(bench, 'quantize.json'), JSON.stringify({ ...results, claims }, null, 2));
for (const { claim, holds, found } of claims) {
  console.log(`${holds ? 'holds' : 'FAILS'}: ${claim} (${found})`);
}
process.exitCode = claims.every(({ holds }) => holds) ? 0 : 1;

async function quality(folder: string): Promise<void> {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  const { stories, from } = heldOutStories(Number(options.stories));
  console.log(`\n${name}, bits per byte on ${stories.length} stories (${from})`);
  const rows = [...quantizeRows, ...pruneRows].filter(
    ({ label }, index) => index === 0 || label.includes(options.only),
  );
  const table = await measureQuality(
    folder,
    rows,
    stories,
    bench,
    (row) => console.log(line(row)),
    (label, message) => console.log(`${label.padEnd(30)}  ${message}`),
  );
  results[name] = table;
  if (options.only === '') claimOrders(name, table);
}

function line(row: QualityRow): string {
  const { interval, change, changeInterval: by } = row;
  return [
    row.label.padEnd(30),
    row.bitsPerByte.toFixed(4),
    `[${interval.low.toFixed(4)}, ${interval.high.toFixed(4)}]`,
    `${change.toFixed(2)} % [${by.low.toFixed(2)}, ${by.high.toFixed(2)}]`.padStart(26),
    `${row.megabytes.toFixed(2)} MB`.padStart(9),
    `${row.seconds.toFixed(1)} s`.padStart(8),
  ].join('  ');
}

function claimOrders(name: string, table: readonly QualityRow[]): void {
  const row = (label: string): QualityRow => {
    const found = table.find((one) => one.label === label);
    if (found === undefined) throw new Error(`no such row: ${label}`);
    return found;
  };
  const gptq = table.filter(({ label }) => label.startsWith('GPTQ'));
  for (const { label, layers } of [...gptq, row('SparseGPT 50 %')]) {
    const better = layers.filter((one) => Number(one.errorAfter) <= Number(one.errorBefore)).length;
    claims.push({
      claim: `${name}: ${label} loses no more than the simple way in 95 % of the layers`,
      holds: better >= 0.95 * layers.length,
      found: `${better} of ${layers.length} layers`,
    });
  }
  const mean = (label: string): number => {
    const errors = row(label).layers.map(({ errorAfter }) => Number(errorAfter));
    return errors.reduce((sum, error) => sum + error, 0) / errors.length;
  };
  claims.push({
    claim: `${name}: SparseGPT loses less in a layer than Wanda at 50 %`,
    holds: mean('SparseGPT 50 %') < mean('Wanda 50 %'),
    found: `${mean('SparseGPT 50 %').toFixed(4)} and ${mean('Wanda 50 %').toFixed(4)}`,
  });
  for (const bits of [4, 2]) {
    const [fine, coarse] = [32, 128].map((size) => row(`RTN ${bits} bit, group ${size}`).layers);
    const better = fine.filter((one, i) => Number(one.errorAfter) < Number(coarse[i].errorAfter));
    claims.push({
      claim: `${name}: groups of 32 round better than groups of 128 at ${bits} bits`,
      holds: better.length >= 0.95 * fine.length,
      found: `${better.length} of ${fine.length} layers`,
    });
  }
  for (const label of ['RTN 8 bit, group 32', 'int8 dynamic', 'embedding and head 8 bit']) {
    claims.push({
      claim: `${name}: ${label} is within 0.5 % of fp32`,
      holds: Math.abs(row(label).change) <= 0.5,
      found: `${row(label).change.toFixed(3)} %`,
    });
  }
}

/** Size, time, memory and speed on S. */
async function sized(): Promise<void> {
  const folder = join(bench, 'quantized');
  mkdirSync(folder, { recursive: true });
  writeModelS(join(bench, 'S'));
  const original = join(bench, 'lathe', 'fused.onnx');
  if (!existsSync(original)) {
    mkdirSync(join(bench, 'lathe'), { recursive: true });
    const tensors = openSafetensors(join(bench, 'S', 'model.safetensors'));
    saveModel(architectureOf(configS, 'config.json').build(tensors, 'fused'), original);
    tensors.close();
  }
  const runs: Record<string, SizedRun> = {};
  for (const name of ['int4-rtn', 'int4-gptq']) {
    const run = await inChild(name, join(folder, `${name}.onnx`));
    runs[name] = run;
    const passes = run.passes.map(({ pass, seconds }) => `${pass} ${seconds.toFixed(1)} s`);
    console.log(
      `${name}: ${run.seconds.toFixed(0)} s (${run.cpuSeconds.toFixed(0)} s of processors), ${(run.peakBytes / 1e9).toFixed(2)} GB at most; ${passes.join(', ')}`,
    );
  }
  const smaller = bytes(original) / bytes(join(folder, 'int4-gptq.onnx'));
  const faster = await speedUp(original, join(folder, 'int4-gptq.onnx'));
  results['S'] = { runs, smaller, faster };
  const rtn = runs['int4-rtn'].passes.reduce((sum, { seconds }) => sum + seconds, 0);
  claims.push(
    {
      claim: 'S: int4-gptq is at least 6 × smaller',
      holds: smaller >= 6,
      found: `${smaller.toFixed(2)} ×`,
    },
    {
      claim: 'S: int4-gptq decodes at least 3.5 × as fast',
      holds: faster >= 3.5,
      found: `${faster.toFixed(2)} ×`,
    },
    {
      claim: 'S: GPTQ takes at most 10 minutes',
      holds: time(runs['int4-gptq']) <= 600,
      found: `${time(runs['int4-gptq']).toFixed(0)} s`,
    },
    {
      claim: 'S: GPTQ needs at most 3 GB',
      holds: runs['int4-gptq'].peakBytes <= 3e9,
      found: `${(runs['int4-gptq'].peakBytes / 1e9).toFixed(2)} GB`,
    },
    {
      claim: 'S: rounding takes at most 20 s',
      holds: Math.min(rtn, time(runs['int4-rtn'])) <= 20,
      found: `${Math.min(rtn, time(runs['int4-rtn'])).toFixed(1)} s`,
    },
  );
}

async function inChild(name: string, target: string): Promise<SizedRun> {
  const child = fork(join(import.meta.dirname, 'quantizeS.ts'), [name, target], {
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const [run]: SizedRun[] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the recipe ${name} ended with code ${code}`);
    }),
  ]);
  return run;
}

/** Of a graph and its weights. */
function bytes(file: string): number {
  return statSync(file).size + statSync(`${file}.data`).size;
}

/** Where others use the machine, the time of processors says what an idle one takes at most. */
function time({ seconds, cpuSeconds }: SizedRun): number {
  return Math.min(seconds, cpuSeconds);
}

function openS(file: string): Promise<Decoder> {
  return Decoder.open(file, { threads: 2, device: 'cpu', contextLength: 512 });
}

/** Median over turns of how much faster the second decodes behind 128 tokens; both are loaded. */
async function speedUp(first: string, second: string): Promise<number> {
  const prompt = Array.from({ length: 128 }, (_, at) => 3 + ((at * 7919) % 31_000));
  const decoders = [await openS(first), await openS(second)];
  const turn = async (decoder: Decoder): Promise<number> => {
    decoder.rewind(0);
    await decoder.prefill(prompt);
    const start = performance.now();
    for (let token = 0; token < 16; token++) await decoder.step(100 + token);
    return (performance.now() - start) / 16;
  };
  const ratios: number[] = [];
  for (let round = 0; round < 13; round++) {
    const [slow, fast] = [await turn(decoders[0]), await turn(decoders[1])];
    if (round > 0) ratios.push(slow / fast);
    console.log(`${slow.toFixed(2)} and ${fast.toFixed(2)} ms a token`);
  }
  for (const decoder of decoders) await decoder.close();
  return ratios.toSorted((a, b) => a - b)[ratios.length >> 1];
}
