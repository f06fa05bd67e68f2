import type {
  AttributionEvent,
  AttributionRequest,
} from '../../../preload/contract/inspect/index.ts';
import { refOf, type Core } from '../core.ts';
import { load, loadRequest } from '../generate.ts';
import { opening } from '../openModel.ts';
import type { Job } from '../runner/supervisor.ts';

/** How much each part of a prompt does for the token that follows. */
export async function* attribution(
  core: Core,
  { model, ...request }: AttributionRequest,
  signal?: AbortSignal,
): AsyncGenerator<AttributionEvent> {
  const manifest = yield* opening(core, model, signal);
  if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
  const asked = {
    ...request,
    source: loadRequest(core, manifest, 'fused'),
    memoryLimit: core.settings().memoryLimitBytes,
  };
  const work = async function* (job: Job): AsyncGenerator<AttributionEvent> {
    yield* load(core, job, manifest, 'fused', signal);
    yield* job.stream('running', (client) => client.compare.attribution(asked), signal);
  };
  yield* core.supervisor.run(refOf(manifest), work, signal);
}
