import { randomUUID } from 'node:crypto';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { CaptureEvent, CaptureRequest } from '../../../preload/contract/inspect/capture.ts';
import { refOf, type Core } from '../core.ts';
import { loadRequest } from '../generate.ts';
import { refuseTooLarge } from '../memory.ts';
import { opening } from '../openModel.ts';
import type { RunnerClient } from '../runner/contract.ts';
import type { Answering } from '../runner/inspect/answering.ts';
import type { Job, ModelRef } from '../runner/supervisor.ts';

/** More captures than any window shows; the runners keep far fewer. */
const MOST_REMEMBERED = 256;

interface Options {
  signal?: AbortSignal;
}

/** Captures live in the runners of their models; this knows which one lives where. */
export class CapturePlaces {
  private readonly core: Core;
  private readonly places = new Map<string, ModelRef>();

  constructor(core: Core) {
    this.core = core;
  }

  /** Runs a prompt and keeps what the model computed. */
  async *capture(
    { model, prompt, ablate }: CaptureRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<CaptureEvent> {
    const { core, places } = this;
    const manifest = yield* opening(core, model, signal);
    if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
    const ref = refOf(manifest);
    const { memoryLimitBytes } = core.settings();
    const { total: needs } = refuseTooLarge(manifest, memoryLimitBytes);
    const request = {
      id: randomUUID(),
      source: loadRequest(core, manifest, 'fused'),
      memoryLimit: memoryLimitBytes,
      prompt,
      ablate,
      needs,
    };
    const work = async function* (job: Job): AsyncGenerator<CaptureEvent> {
      job.makeRoom(needs);
      const events = job.stream('loading', (client) => client.inside.capture(request), signal);
      for await (const event of events) {
        if (event.kind === 'progress') yield event;
        else if (event.kind === 'opened') job.loaded(event.fastCache);
        else {
          places.set(request.id, ref);
          yield { kind: 'done', capture: { ...event.capture, model: manifest.record.name } };
        }
      }
    };
    yield* core.supervisor.run(ref, work, signal);
    for (const id of [...places.keys()].slice(0, -MOST_REMEMBERED)) places.delete(id);
  }

  /** A quick question to the runner that holds a capture; `not_found` where none does any more. */
  ask<T>(
    { capture }: { capture: string },
    call: (client: RunnerClient['inside'], options: Options) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const place = this.placeOf(capture);
    return this.core.supervisor.ask(
      place,
      (client) => call(client.inside, signal ? { signal } : {}),
      signal,
    );
  }

  /** A question that may take long: it has its turn like any run. */
  async work<T>(
    { capture }: { capture: string },
    call: (
      client: RunnerClient['inside'],
      options: Options,
    ) => Promise<AsyncIterator<Answering<T>>>,
    signal?: AbortSignal,
  ): Promise<T> {
    const place = this.placeOf(capture);
    const work = (job: Job) =>
      job.stream('evaluating', (client) => call(client.inside, signal ? { signal } : {}), signal);
    for await (const event of this.core.supervisor.run(place, work, signal)) {
      if (event.kind === 'done') return event.result;
    }
    throw new Error('a runner ended an answer without giving it');
  }

  private placeOf(capture: string): ModelRef {
    const place = this.places.get(capture);
    const states = this.core.supervisor.states();
    const state = states.find(({ model }) => model === place?.name);
    // Another process for the same model would only say that it knows nothing of it.
    if (place !== undefined && state?.kind !== 'dead' && state?.kind !== 'unloaded') return place;
    this.places.delete(capture);
    throw new LatheError(
      'not_found',
      `there is no such capture any more; run it again: ${capture}`,
      {
        value: capture,
        next: ['retry'],
      },
    );
  }
}
