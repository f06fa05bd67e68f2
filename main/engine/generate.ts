import type { GenerateEvent, GenerateRequest } from '../../preload/contract/generation.ts';
import type { Progress } from '../../preload/contract/models.ts';
import { fingerprintOf, type Manifest } from '../library/manifest.ts';
import type { RunRecorder } from '../library/runs.ts';
import { refOf, type Core } from './core.ts';
import { fromOrpc } from './errors.ts';
import { refuseTooLarge } from './memory.ts';
import { opening } from './openModel.ts';
import type { Loaded } from './runner/contract.ts';
import type { LoadRequest } from './runner/source.ts';
import type { Job } from './runner/supervisor.ts';

/** Answers a prompt, token by token, and writes the run down when asked to. */
export async function* generate(
  core: Core,
  request: GenerateRequest,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent> {
  const manifest = yield* opening(core, request.model, signal);
  if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
  let recorder: RunRecorder | null = null;
  try {
    const events = core.supervisor.run(
      refOf(manifest),
      (job) => answer(core, job, manifest, request, signal),
      signal,
    );
    for await (const event of events) {
      if (event.kind === 'start' && request.record) {
        recorder = core.library.runs.begin(request, event);
        core.tell({ kind: 'runs-changed' });
      }
      if (event.kind === 'token') recorder?.token(event);
      if (event.kind === 'finish') recorder?.finish(event);
      yield event.kind === 'start' ? { ...event, runId: recorder?.id ?? null } : event;
    }
  } catch (error) {
    const { code, message } = fromOrpc(error);
    if (code !== 'cancelled') recorder?.fail(message);
    throw error;
  } finally {
    // Also when the reader went away in mid-stream; a run that ended stays as it is.
    recorder?.cancel();
    if (recorder) core.tell({ kind: 'runs-changed' });
  }
}

async function* answer(
  core: Core,
  job: Job,
  manifest: Manifest,
  request: GenerateRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<GenerateEvent> {
  const loadMs = yield* load(core, job, manifest, request.form, signal);
  for await (const event of job.stream('running', (client) => client.generate(request), signal)) {
    if (event.kind === 'start') yield { ...event, loadMs };
    else if (event.kind === 'finish') yield { ...event, timing: { ...event.timing, loadMs } };
    else yield event;
  }
}

/** Loads a model into the job's runner, unless it is there; gives the milliseconds it took. */
export async function* load(
  core: Core,
  job: Job,
  manifest: Manifest,
  form: GenerateRequest['form'],
  signal: AbortSignal | undefined,
): AsyncGenerator<Progress, number> {
  const { memoryLimitBytes: memoryLimit } = core.settings();
  const { total: needs } = refuseTooLarge(manifest, memoryLimit);
  job.makeRoom(needs);
  const request = { ...loadRequest(core, manifest, form), memory: { needs, memoryLimit } };
  let loaded: Loaded | null = null;
  for await (const event of job.stream('loading', (client) => client.load(request), signal)) {
    if (event.kind === 'progress') yield event;
    else loaded = event;
  }
  if (loaded === null) throw new Error('a runner ended loading without saying so');
  job.loaded(loaded.fastCache);
  return loaded.loadMs;
}

/** What a runner needs to load a model. */
export function loadRequest(
  core: Core,
  { record, files }: Manifest,
  form: GenerateRequest['form'],
): LoadRequest {
  const { threads, device } = core.settings();
  return {
    folder: record.folder,
    weights: record.sha256,
    fingerprint: fingerprintOf(files),
    form,
    graphs: core.library.home.graphs,
    threads,
    device,
  };
}
