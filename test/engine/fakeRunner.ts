import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { implement } from '@orpc/server';
import { RPCHandler } from '@orpc/server/message-port';
import type { GenerateEvent } from '../../preload/contract/generation.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import {
  runnerContract,
  type BenchTold,
  type CompressTold,
  type EvaluateTold,
} from '../../main/engine/runner/contract.ts';
import { typedErrors } from '../../main/engine/errors.ts';
import { createJobs } from '../../main/engine/runner/jobs.ts';
import { basename, join } from 'node:path';

/**
 * A runner that behaves as badly as it is told. Loading follows the name of the model's folder,
 * generation the prompt: `crash 3` ends the process by SIGKILL after three tokens; `exit` by
 * exit(0); `hang` blocks its thread; `hog` takes memory; `deaf` goes on whatever it is told; any
 * other prompt gives as many tokens as are asked for. Compressing follows the name of the recipe:
 * `crash once` crashes at the first try only, `full` finds the disk full. Exporting follows the name of
 * the model's folder: `full`, `crash-export`, `hang-export`; so does measuring speed: `crash-bench`.
 */
const jobs = createJobs();
// Looking into models is tested with real runners.
const { inside: _inside, compare: _compare, ...faked } = runnerContract;
const os = implement(faked).use(typedErrors);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const block = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
const hogged: Uint8Array[] = [];

const router = os.router({
  inspect: os.inspect.handler(({ input }) => {
    if (basename(input.folder) === 'hang-inspect') block();
    return {
      architecture: 'fake',
      parameters: 10,
      bytes: 40,
      precision: 'float32',
      contextLength: 64,
      vocabularySize: 8,
      licence: null,
      sizes: { cachePerToken: 8, hidden: 4, inner: 8, heads: 2 },
      config: {},
      card: null,
      chatTemplate: null,
    };
  }),
  tensors: os.tensors.handler(() => []),
  graph: os.graph.handler(() => {
    throw new Error('a bug in a runner');
  }),
  tokenize: os.tokenize.handler(() => [{ id: process.pid, text: 'pid', bytes: [] }]),
  load: os.load.handler(({ input, signal }) =>
    jobs.run(signal, async function* () {
      yield { kind: 'progress' as const, stage: 'loading' };
      const name = basename(input.folder);
      if (name === 'hang-load') block();
      if (name === 'crash-load') process.kill(process.pid, 'SIGSEGV');
      if (name === 'slow-load') {
        for (let beat = 0; beat < 15; beat++) {
          await sleep(200);
          yield { kind: 'progress' as const, stage: 'loading', fraction: beat / 15 };
        }
      }
      yield { kind: 'loaded' as const, loadMs: 1, fastCache: true };
    }),
  ),
  generate: os.generate.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop): AsyncGenerator<GenerateEvent> {
      const text = input.prompt.kind === 'completion' ? input.prompt.text : '';
      const [what, after = '0'] = text.split(' ');
      yield {
        kind: 'start',
        runId: null,
        promptTokens: 1,
        contextLength: 64,
        seed: 7,
        loadMs: 0,
      };
      let count = 0;
      for (; count < input.maxTokens; count++) {
        if (count >= Number(after)) misbehave(what ?? '');
        if (stop.aborted && what !== 'deaf') break;
        await sleep(5);
        yield {
          kind: 'token',
          id: count,
          text: `t${count} `,
          logprob: -1,
          alternatives: [],
          ms: 5,
        };
      }
      yield {
        kind: 'finish',
        reason: stop.aborted ? 'cancelled' : 'max-tokens',
        text: Array.from({ length: count }, (_, index) => `t${index} `).join(''),
        timing: { loadMs: 0, ttftMs: 5 },
        promptTokens: 1,
        newTokens: count,
      };
    }),
  ),
  bench: os.bench.handler(({ input, signal }) =>
    jobs.run(signal, async function* (): AsyncGenerator<BenchTold> {
      const [what = ''] = basename(input.load.folder).split('-bench');
      writeFileSync(join(input.scratch, 'profile.json'), 'half of it');
      yield { kind: 'phase', phase: 'load' };
      hogged.push(new Uint8Array(64 * 2 ** 20).fill(1));
      for (let beat = 0; beat < 10; beat++) {
        yield { kind: 'progress', fraction: beat / 10, detail: `beat ${beat}` };
        await sleep(20);
        if (beat === 5) misbehave(what);
      }
      const latency = { samples: 1, p50: 1, tokensPerSecond: 1000 };
      const result = {
        prefill: latency,
        decode: latency,
        ttft: latency,
        decodeMs: [1],
        loadMs: 1,
        loads: null,
        joulesPerToken: null,
        contexts: [],
        batches: [],
        threadCounts: [],
        operators: null,
        protocol: 'fake',
      };
      yield { kind: 'done', result };
    }),
  ),
  evaluate: os.evaluate.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop): AsyncGenerator<EvaluateTold> {
      const { metrics, data } = input.request;
      const [what, until = ''] = basename(data, '.txt').split(' ');
      const mark = join(input.work, 'tried');
      const isFirst = !existsSync(mark);
      writeFileSync(mark, '');
      yield { kind: 'started', items: isFirst ? 0 : 5 };
      for (let beat = 0; beat < 10; beat++) {
        yield { kind: 'progress', fraction: beat / 10, step: null, detail: `beat ${beat}` };
        await sleep(20);
        if (stop.aborted) throw new LatheError('cancelled', 'cancelled');
        if (beat === 5 && (until !== 'once' || isFirst)) misbehave(what ?? '');
      }
      if (what === 'full') throw new LatheError('disk_full', 'no space left on the disk');
      const measured = { value: process.pid, ci95: null, n: 1, details: {}, against: null };
      const results = metrics.map((metric) => ({ metric, protocol: 'fake', ...measured }));
      yield { kind: 'done', results };
    }),
  ),
  linears: os.linears.handler(() => []),
  estimate: os.estimate.handler(() => ({
    steps: [],
    bytesBefore: 40,
    bytes: 10,
    peakBytes: 0,
    seconds: 0,
    calibration: null,
  })),
  compress: os.compress.handler(({ input, signal }) =>
    jobs.run(signal, async function* (): AsyncGenerator<CompressTold> {
      const [what, until = ''] = input.recipe.name.split(' ');
      const mark = join(input.work, 'tried');
      const isFirst = !existsSync(mark);
      writeFileSync(mark, '');
      yield { kind: 'started', passes: [] };
      for (let beat = 0; beat < 10; beat++) {
        yield { kind: 'progress', fraction: beat / 10, step: 0, detail: `beat ${beat}` };
        await sleep(20);
        if (beat === 5 && (until !== 'once' || isFirst)) misbehave(what ?? '');
      }
      if (what === 'full') throw new LatheError('disk_full', 'no space left on the disk');
      const folder = join(input.work, 'pass-1');
      mkdirSync(folder);
      writeFileSync(join(folder, 'model.onnx'), `made by ${what}`);
      writeFileSync(join(folder, 'config.json'), '{}');
      yield { kind: 'done', folder };
    }),
  ),
  export: os.export.handler(({ input, signal }) =>
    jobs.run(signal, async function* () {
      yield { kind: 'progress' as const, stage: 'writing' };
      writeFileSync(join(input.target, 'model.onnx'), 'half of it');
      const name = basename(input.folder);
      if (name === 'full') throw new LatheError('disk_full', 'no space left');
      if (name === 'crash-export') process.kill(process.pid, 'SIGKILL');
      if (name === 'hang-export') await sleep(60_000);
      yield { kind: 'done' as const };
    }),
  ),
  cancel: os.cancel.handler(() => jobs.cancel()),
});

function misbehave(what: string): void {
  switch (what) {
    case 'crash':
      return void process.kill(process.pid, 'SIGKILL');
    case 'exit':
      return process.exit(0);
    case 'hang':
      return block();
    case 'hog':
      return void hogged.push(new Uint8Array(32 * 2 ** 20).fill(1));
  }
}

process.on('disconnect', () => process.exit(0));
new RPCHandler(router).upgrade({
  postMessage: (data: object) => void process.send?.(data, undefined, undefined, () => undefined),
  onMessage: { addListener: (listener) => void process.on('message', listener) },
  onDisconnect: { addListener: (listener) => void process.on('disconnect', listener) },
});
