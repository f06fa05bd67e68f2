import type { BenchEvent, BenchRequest } from '../../preload/contract/bench.ts';
import type { Manifest } from '../library/manifest.ts';
import { refOf, type Core } from './core.ts';
import { load } from './generate.ts';
import { opening } from './openModel.ts';
import type { Job } from './runner/supervisor.ts';

/** Measures how fast a model is here, and how much memory its process takes, seen from outside. */
export async function* bench(
  core: Core,
  request: BenchRequest,
  signal?: AbortSignal,
): AsyncGenerator<BenchEvent> {
  const manifest = yield* opening(core, request.model, signal);
  if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
  yield* core.supervisor.run(
    refOf(manifest),
    (job) => measure(core, job, manifest, request, signal),
    signal,
  );
}

async function* measure(
  core: Core,
  job: Job,
  manifest: Manifest,
  request: BenchRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<BenchEvent> {
  const loadMs = yield* load(core, job, manifest, request.form, signal);
  for await (const event of job.stream('running', (client) => client.bench(request), signal)) {
    if (event.kind === 'progress') yield event;
    else yield { ...event, loadMs, peakRssBytes: await job.peakBytes() };
  }
}
