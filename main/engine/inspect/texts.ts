import type {
  Losses,
  LossesEvent,
  LossesRequest,
  Neighbours,
  NeighboursRequest,
  TokenText,
  TokenTextRequest,
} from '../../../preload/contract/inspect/index.ts';
import type { Progress } from '../../../preload/contract/models.ts';
import { otherTokens } from '../../evaluation/documents.ts';
import { windowFor } from '../../evaluation/protocols.ts';
import type { Manifest } from '../../library/manifest.ts';
import { refOf, type Core } from '../core.ts';
import { load, loadRequest } from '../generate.ts';
import { opening, openModel } from '../openModel.ts';
import type { Lost } from '../runner/inspect/compareContract.ts';
import type { Job } from '../runner/supervisor.ts';
import { needsOf } from './pairs.ts';

/** What models lose on each token of a text; all but the first are compared with the first. */
export async function* losses(
  core: Core,
  { models, text }: LossesRequest,
  signal?: AbortSignal,
): AsyncGenerator<LossesEvent> {
  const manifests: Manifest[] = [];
  for (const model of models) manifests.push(yield* opening(core, model, signal));
  const sizes = [...new Set(manifests.map(({ record }) => record.vocabularySize))];
  if (sizes.length > 1) throw otherTokens(sizes);
  const windows = windowFor(manifests.map(({ record }) => record.contextLength));
  const [first, ...others] = manifests;
  const read: Lost[] = [];
  const pairs =
    others.length === 0
      ? [{ variant: first, base: null }]
      : others.map((variant) => ({ variant, base: first }));
  for (const { variant, base } of pairs) {
    if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
    const asked = { base: base && loadRequest(core, base, 'fused'), text, ...windows };
    const work = async function* (job: Job): AsyncGenerator<LossesEvent> {
      if (base !== null) job.makeRoom(needsOf(core, { base, variant }));
      yield* load(core, job, variant, 'fused', signal);
      const events = job.stream('running', (client) => client.compare.losses(asked), signal);
      for await (const event of events) {
        if (event.kind === 'done') read.push(event);
        else yield shareOf(event, read.length, pairs.length);
      }
    };
    yield* core.supervisor.run(refOf(variant), work, signal);
  }
  yield { kind: 'done', losses: joined(manifests, read) };
}

/** Progress of one model among several; how long the others take is not known yet. */
function shareOf({ kind, stage, fraction }: Progress, done: number, all: number): Progress {
  return { kind, stage, ...(fraction !== undefined && { fraction: (done + fraction) / all }) };
}

function joined([first, ...others]: readonly Manifest[], read: readonly Lost[]): Losses {
  const [{ tokens, deciles, model, base }] = read;
  return {
    tokens,
    deciles,
    models: [
      { model: first.record.name, ...(base ?? model), kl: null },
      ...others.map(({ record }, at) => ({
        model: record.name,
        ...read[at].model,
        kl: read[at].kl,
      })),
    ],
  };
}

/** How a model's tokenizer cuts a text. */
export async function tokenText(
  core: Core,
  { model, text }: TokenTextRequest,
  signal?: AbortSignal,
): Promise<TokenText> {
  const manifest = await openModel(core, model, { signal });
  const { folder, name } = manifest.record;
  const asked = { folder, text };
  const facts = await core.supervisor.ask(
    refOf(manifest),
    (client) => client.compare.tokenText(asked),
    signal,
  );
  return { model: name, ...facts };
}

/** The tokens nearest to one in the embedding. */
export async function neighbours(
  core: Core,
  { model, ...request }: NeighboursRequest,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const manifest = await openModel(core, model, { signal });
  const asked = { ...request, folder: manifest.record.folder };
  return core.supervisor.ask(
    refOf(manifest),
    (client) => client.compare.neighbours(asked, signal ? { signal } : {}),
    signal,
  );
}
