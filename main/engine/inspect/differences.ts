import { randomUUID } from 'node:crypto';
import { LatheError } from '../../../preload/contract/errors.ts';
import type {
  Blame,
  BlameEvent,
  Difference,
  DifferenceEvent,
  DifferenceRequest,
  PatternPair,
} from '../../../preload/contract/inspect/index.ts';
import { refOf, type Core } from '../core.ts';
import { loadRequest } from '../generate.ts';
import type { Job } from '../runner/supervisor.ts';
import { systemInfo } from '../system.ts';
import { needsOf, openingPair, type Pair } from './pairs.ts';
import { differenceReport } from './report/report.ts';

/** Comparisons that can still be asked about; the runners keep the patterns of fewer. */
const MOST_REMEMBERED = 16;

/** A comparison, and what was found out about it since. */
interface Remembered extends Pair {
  readonly request: DifferenceRequest;
  readonly difference: Difference;
  blame: Blame | null;
}

/** Comparisons of two models. Their patterns live in the runner of the variant. */
export class Differences {
  private readonly core: Core;
  private readonly remembered = new Map<string, Remembered>();

  constructor(core: Core) {
    this.core = core;
  }

  /** Compares two models on a text that the base writes on. */
  async *compare(
    request: DifferenceRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<DifferenceEvent> {
    const { core, remembered } = this;
    const pair = yield* openingPair(core, request, signal);
    if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
    const asked = { ...this.asked(request, pair), id: randomUUID() };
    const work = async function* (job: Job): AsyncGenerator<DifferenceEvent> {
      job.makeRoom(asked.needs);
      const events = job.stream('loading', (client) => client.compare.difference(asked), signal);
      for await (const event of events) {
        if (event.kind === 'progress') yield event;
        else {
          const names = { base: pair.base.record.name, variant: pair.variant.record.name };
          const difference = { ...event.difference, ...names };
          remembered.set(asked.id, { ...pair, request, difference, blame: null });
          yield { kind: 'done', difference };
        }
      }
      job.loaded(true);
    };
    yield* core.supervisor.run(refOf(pair.variant), work, signal);
    for (const id of [...remembered.keys()].slice(0, -MOST_REMEMBERED)) remembered.delete(id);
  }

  /** One head's patterns in both models; `not_found` where they are not kept any more. */
  patternPair(
    request: { difference: string; layer: number; head: number },
    signal?: AbortSignal,
  ): Promise<PatternPair> {
    const { variant } = this.find(request.difference);
    const { name } = variant.record;
    const state = this.core.supervisor.states().find(({ model }) => model === name);
    // Another process for the same model would only say that it knows nothing of it.
    if (state?.kind === 'dead' || state?.kind === 'unloaded') throw gone(request.difference);
    return this.core.supervisor.ask(
      refOf(variant),
      (client) => client.compare.patternPair(request, signal ? { signal } : {}),
      signal,
    );
  }

  /** Searches the layers that make the variant differ; see main/evaluation/blame.ts. */
  async *blame(request: DifferenceRequest, signal?: AbortSignal): AsyncGenerator<BlameEvent> {
    const { core } = this;
    const pair = yield* openingPair(core, request, signal);
    if (core.supervisor.isBusy) yield { kind: 'progress', stage: 'waiting for another run' };
    const asked = this.asked(request, pair);
    const keep = (blame: Blame): void => this.keepBlame(request, blame);
    const work = async function* (job: Job): AsyncGenerator<BlameEvent> {
      job.makeRoom(asked.needs);
      // Loading both models as one graph is one long call.
      const events = job.stream('compressing', (client) => client.compare.blame(asked), signal);
      for await (const event of events) {
        if (event.kind === 'done') keep(event.blame);
        yield event;
      }
      job.loaded(true);
    };
    yield* core.supervisor.run(refOf(pair.variant), work, signal);
  }

  /** A comparison as one file of HTML. */
  report(id: string): string {
    const { version, node, onnxruntime } = systemInfo(this.core);
    const { request, difference, blame, base, variant } = this.find(id);
    return differenceReport({
      request,
      difference,
      blame,
      models: [base.record, variant.record],
      versions: { lathe: version, node, onnxruntime },
      madeAt: new Date(),
    });
  }

  private asked({ prompt, newTokens }: DifferenceRequest, { base, variant }: Pair) {
    const { core } = this;
    return {
      base: loadRequest(core, base, 'fused'),
      variant: loadRequest(core, variant, 'fused'),
      needs: needsOf(core, { base, variant }),
      memoryLimit: core.settings().memoryLimitBytes,
      prompt,
      newTokens,
    };
  }

  private find(id: string): Remembered {
    const found = this.remembered.get(id);
    if (found !== undefined) return found;
    throw gone(id);
  }

  /** Reports of the same comparison tell who was to blame. */
  private keepBlame(request: DifferenceRequest, blame: Blame): void {
    const key = JSON.stringify(request);
    for (const one of this.remembered.values()) {
      if (JSON.stringify(one.request) === key) one.blame = blame;
    }
  }
}

const gone = (id: string): LatheError =>
  new LatheError('not_found', `there is no such comparison any more; run it again: ${id}`, {
    value: id,
    next: ['retry'],
  });
