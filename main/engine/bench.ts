import { rmSync } from 'node:fs';
import type {
  BenchRecord,
  BenchRequest,
  BenchResult,
  MemoryTrace,
} from '../../preload/contract/bench.ts';
import { checkLength } from '../inference/measure.ts';
import { temporaryFolder } from '../library/folders.ts';
import { fingerprintOf, type Manifest } from '../library/manifest.ts';
import type { Core } from './core.ts';
import { loadRequest } from './generate.ts';
import { cacheBytes, refuseTooLarge } from './memory.ts';
import { traceMemory } from './memoryTrace.ts';
import { openModel } from './openModel.ts';
import { inOwnRunner, type Workshop } from './ownRunner.ts';
import type { BenchMeasured } from './runner/contract.ts';
import { circumstances } from './system.ts';

/** How a measurement is stopped, and whom it tells how far it is. */
export interface BenchJob {
  readonly signal: AbortSignal;
  /** Of the whole measurement, 0 … 1. */
  readonly progress: (fraction: number, detail: string) => void;
  readonly log: (text: string) => void;
}

/**
 * Measures speed, memory and energy of a model, in a fresh process and while nothing else is run,
 * and keeps what it found: all of it when the last figure is there, nothing before.
 */
export async function benchModel(
  workshop: Workshop,
  request: BenchRequest,
  job: BenchJob,
): Promise<BenchRecord> {
  const { core } = workshop;
  const { supervisor, library } = core;
  const manifest = await checkBench(core, request, job.signal);
  const { record, files } = manifest;
  if (supervisor.isBusy) job.progress(0, 'waiting for another run');
  const bytes = memoryFor(request, manifest, core.settings().memoryLimitBytes);
  const endTurn = await supervisor.turn(bytes, job.signal);
  try {
    // A file that a process has mapped is not read from the disk again.
    if (request.load) supervisor.unload(record.folder);
    const { decodeMs, ...result } = await measure(workshop, request, manifest, job);
    job.signal.throwIfAborted();
    const { name: model, sha256: modelSha256 } = record;
    const measured = { ...result, request, model, modelSha256, ...circumstances(core) };
    const kept = library.benches.add(fingerprintOf(files), measured, decodeMs);
    core.tell({ kind: 'measurements-changed' });
    return kept;
  } finally {
    endTurn();
  }
}

/**
 * Refuses what cannot be measured: a model that is not there or does not fit into memory, texts
 * longer than the context.
 */
export async function checkBench(
  core: Core,
  request: BenchRequest,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { promptTokens, newTokens, contexts } = request;
  const manifest = await openModel(core, request.model, { signal });
  const { contextLength } = manifest.record;
  for (const tokens of [promptTokens, ...contexts]) checkLength(tokens, newTokens, contextLength);
  memoryFor(request, manifest, core.settings().memoryLimitBytes);
  return manifest;
}

/** Bytes that the model takes with its largest run; `memory_limit` where that is more than the limit. */
function memoryFor(request: BenchRequest, manifest: Manifest, limit: number): number {
  const { promptTokens, newTokens, batch, contexts, batches } = request;
  const longest = Math.max(promptTokens, ...contexts) + newTokens;
  const rows = Math.max(batch, ...batches);
  const cache = Math.max(
    cacheBytes(manifest, batch, longest),
    cacheBytes(manifest, rows, promptTokens + newTokens),
  );
  return refuseTooLarge(manifest, limit, cache).total;
}

/** Between two looks at the resident set: a look takes some microseconds on Linux, elsewhere a process. */
const pollMs = process.platform === 'linux' ? 50 : 250;

/** A result, and every sample of its decode. */
type Measured = BenchResult & Pick<BenchMeasured, 'decodeMs'>;

/** Measures in a process that has done nothing else; a second one where the first built the graph. */
async function measure(
  workshop: Workshop,
  request: BenchRequest,
  manifest: Manifest,
  job: BenchJob,
): Promise<Measured> {
  const first = await measureOnce(workshop, request, manifest, job);
  if (first !== null) return first;
  job.log('the graph was built; another process measures it');
  const second = await measureOnce(workshop, request, manifest, job);
  if (second === null) throw new Error('a graph that was built is not there');
  return second;
}

async function measureOnce(
  workshop: Workshop,
  request: BenchRequest,
  manifest: Manifest,
  { signal, progress }: BenchJob,
): Promise<Measured | null> {
  const { core } = workshop;
  const load = loadRequest(core, manifest, request.form);
  const scratch = temporaryFolder(core.library.home.graphs);
  try {
    return await inOwnRunner(workshop, manifest.record.name, signal, async (runner) => {
      const memory = traceMemory(runner.pid, pollMs);
      try {
        let result: BenchMeasured | null = null;
        const asked = { load, request, scratch };
        for await (const event of runner.stream('measuring', (client) => client.bench(asked))) {
          if (event.kind === 'progress') progress(event.fraction, event.detail);
          else if (event.kind === 'phase') await memory.phase(event.phase);
          else if (event.kind === 'done') ({ result } = event);
          else return null;
        }
        if (result === null) throw new Error('a runner ended a measurement without saying so');
        return whole(result, await memory.end(), manifest, request);
      } finally {
        memory.close();
      }
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** What the runner measured, with what was seen from outside. */
function whole(
  measured: BenchMeasured,
  memory: MemoryTrace,
  manifest: Manifest,
  { batch, promptTokens, newTokens }: BenchRequest,
): Measured {
  return {
    ...measured,
    peakRssBytes: Math.max(...memory.phases.map(({ peakBytes }) => peakBytes)),
    memory,
    cacheBytes: cacheBytes(manifest, batch, promptTokens + newTokens),
    fileBytes: manifest.record.bytes,
  };
}
