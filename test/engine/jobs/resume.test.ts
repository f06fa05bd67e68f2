import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type {
  CompressJob,
  EngineClient,
  Job,
  JobEvent,
  RecipeInput,
} from '../../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import type { RunnerProcess } from '../../../main/engine/runner/host.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let root: string;
let home: string;
let folder: string;
/** Every file of the variant that an undisturbed run makes, with its content. */
let undisturbed: Map<string, string>;
let engine: Engine;
let client: EngineClient;
const runners: RunnerProcess[] = [];

/** A recipe of several passes, one of them calibrated: some layers take a while, files are written. */
let recipe: RecipeInput;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-resume-')));
  folder = join(root, 'tiny');
  writeTinyLlama(folder, { tied: true, keyValueHeads: 2 });
  const text = join(root, 'text.txt');
  writeFileSync(text, 'Once upon a time there was a tiny model. '.repeat(40));
  const bits = { groupSize: 32 as const };
  recipe = {
    name: 'several',
    calibration: { data: text, sequences: 8, length: 64 },
    passes: [
      { pass: 'fuse' },
      { pass: 'quantize-rtn', ...bits, targets: ['blocks.0.mlp.*'] },
      { pass: 'quantize-gptq', ...bits, targets: ['blocks.*.attn.*'] },
      { pass: 'quantize-rtn', ...bits, bits: 8, targets: ['blocks.1.mlp.*'] },
      { pass: 'convert-float' },
    ],
  };
  home = join(root, 'home');
  await open(home);
  const job = await ended(await begin());
  undisturbed = bytesOf(job);
}, 120_000);
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function open(place: string): Promise<void> {
  const start = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
  engine = await createEngine({
    home: place,
    threads: 1,
    async startRunner() {
      const runner = await start();
      runners.push(runner);
      return runner;
    },
  });
  client = createRouterClient(engine.router);
}

async function begin(): Promise<string> {
  const { ids } = await client.compress.start({ model: folder, recipes: [recipe] });
  return ids[0] ?? '';
}

async function ended(id: string, onEvent?: (event: JobEvent) => void): Promise<CompressJob> {
  let last: Job | null = null;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') last = event.job;
    onEvent?.(event);
  }
  if (last?.kind !== 'compress') throw new Error('a watched job says how it stands');
  return last;
}

function bytesOf({ result }: CompressJob): Map<string, string> {
  const variant = result?.folder ?? '';
  const names = readdirSync(variant).filter((name) => name !== 'lathe.json');
  return new Map(names.map((name) => [name, readFileSync(join(variant, name), 'base64')]));
}

/** What lies in the library besides its database and caches. */
const contents = (): string[] =>
  ['jobs', 'models', join('variants', 'tiny')].flatMap((name) => readdirSync(join(home, name)));

/** Does something to a job after so many of its layers and passes. */
async function disturbed(id: string, after: number, disturb: () => void): Promise<CompressJob> {
  let seen = 0;
  return ended(id, (event) => {
    if (event.kind !== 'layer' && event.kind !== 'pass') return;
    seen++;
    if (seen === after) disturb();
  });
}

describe('a job whose process is killed', () => {
  test.each([1, 3, 6, 8, 11])(
    'after %i layers and passes ends with the same bytes',
    async (after) => {
      const id = await begin();
      let resumed = 0;
      let job = await disturbed(id, after, () => runners.at(-1)?.kill());
      while (job.state === 'interrupted') {
        resumed++;
        await client.jobs.resume({ id });
        job = await ended(id);
      }
      expect({ state: job.state, resumed }).toEqual({ state: 'finished', resumed: 1 });
      expect(bytesOf(job)).toEqual(undisturbed);
      expect(job.passes).toHaveLength(5);
      expect(job.layers).toHaveLength(job.passes.flatMap(({ layers }) => layers).length);
      expect(readdirSync(join(home, 'jobs'))).toEqual([]);
    },
  );
});

describe('a job that is cancelled', () => {
  test.each([1, 4, 7, 10, 11])('after %i layers and passes leaves nothing', async (after) => {
    const before = contents();
    const id = await begin();
    let cancelling: Promise<Job> | undefined;
    const job = await disturbed(id, after, () => (cancelling = client.jobs.cancel({ id })));
    expect((await cancelling)?.state).toBe('cancelled');
    expect(job.state).toBe('cancelled');
    expect(contents()).toEqual(before);
  });

  test('after it was interrupted leaves nothing', async () => {
    const before = contents();
    const id = await begin();
    await disturbed(id, 5, () => runners.at(-1)?.kill());
    expect(contents()).toContain(id);
    expect((await client.jobs.cancel({ id })).state).toBe('cancelled');
    expect(contents()).toEqual(before);
  });
});

test.each([2, 9])(
  'a job whose whole engine is killed after %i layers and passes ends with the same bytes',
  async (after) => {
    await engine.close();
    const file = join(root, 'recipe.json');
    writeFileSync(file, JSON.stringify(recipe));
    const script = fileURLToPath(new URL('compressModel.ts', import.meta.url));
    const child = spawn(process.execPath, [script, home, folder, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const done = out.split('\n').filter((kind) => kind === 'layer' || kind === 'pass').length;
      if (done >= after) child.kill('SIGKILL');
    });
    await once(child, 'close');
    await open(home);
    const [job] = await client.jobs.list();
    expect(job?.state).toBe('interrupted');
    await client.jobs.resume({ id: job?.id ?? '' });
    expect(bytesOf(await ended(job?.id ?? ''))).toEqual(undisturbed);
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
  },
);
