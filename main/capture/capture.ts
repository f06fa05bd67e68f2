import type { Head } from '../../preload/contract/inspect/capture.ts';
import { float32, type Session, type Tensors } from '../inference/session.ts';
import type { AttentionSite } from '../passes/exposeAttention.ts';
import type { Captured, LayerCapture } from './captured.ts';
import { captureBytes, checkCapture, MOST_CAPTURE_BYTES } from './limits.ts';
import { openPatterns, type Patterns } from './patterns.ts';
import { readThrough, type Reading, type Tap, type VisitRows } from './readThrough.ts';
import { ScoreStore } from './scoreStore.ts';
import {
  cachePort,
  mlpName,
  nameInGraph,
  partFor,
  streamNames,
  tapWidths,
  type OpenPart,
  type Subject,
} from './subject.ts';

export interface CaptureOptions {
  /** Heads whose output counts as zero. */
  readonly ablate?: readonly Head[];
  /** What the capture may keep, where that is less than the limit of all. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stage: string, fraction: number) => void) | undefined;
}

/** A model loaded to be looked into. One call at a time. */
export interface Capturer {
  readonly subject: Subject;
  /** Whether runs write where values are kept; otherwise all of them are copied. */
  readonly writesInPlace: boolean;
  /** Patterns of what was captured. */
  readonly patterns: Patterns;
  /**
   * Runs a text and keeps what it computed. Before anything runs: `context_overflow`,
   * `memory_limit`, `usage` for a head or token that the model does not have.
   */
  capture(ids: readonly number[], options?: CaptureOptions): Promise<Captured>;
  /**
   * Runs the text of a capture again, the same heads switched off, and shows other values of it
   * piece by piece: those of `subject.hookPoints`.
   */
  show(
    captured: Pick<Captured, 'ids' | 'ablated'>,
    hooks: readonly string[],
    visit: VisitRows,
    signal?: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Tokens read once before anything is timed: the runtime allocates in its first run. */
const WARM_UP = 16;

/** Loads a subject into the runtime. */
export async function openCapturer(found: Subject, open: OpenPart): Promise<Capturer> {
  const scored = found.sites.filter(({ parts }) => parts === null).map(({ scores }) => scores);
  const values = [...tapWidths(found).keys(), ...scored];
  const { session, close } = await open(partFor(found, values));
  const subject = await complete(found, session, scored).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const { signature, sites } = subject;
  const patterns = openPatterns(open);

  const read = (reading: Reading, ablate: readonly Head[]): Promise<Float32Array[]> =>
    readThrough(session, signature, { ...reading, constant: switches(sites, ablate) });

  return {
    subject,
    writesInPlace: session.canRunInto,
    patterns,
    async capture(ids, { ablate = [], mostBytes = Infinity, signal, onProgress } = {}) {
      checkCapture(subject, ids, ablate, Math.min(mostBytes, MOST_CAPTURE_BYTES));
      const tell = (stage: string) => (fraction: number) => onProgress?.(stage, fraction);
      await read({ ids: ids.slice(0, WARM_UP) }, ablate);
      const plain = await timed(() => read({ ids, signal, onProgress: tell('running') }, ablate));
      const taps = newTaps(subject, ids.length);
      const scores = new ScoreStore(sites, ids.length);
      const captured = await timed(() =>
        read(
          {
            ids,
            taps: [...taps.values()],
            shown: scored,
            visit: scores.take,
            ...scores.piece(),
            signal,
            onProgress: tell('capturing'),
          },
          ablate,
        ),
      );
      const cache = captured.value;
      const tap = (name: string): Float32Array => taps.get(name)?.data ?? new Float32Array(0);
      return {
        ids: [...ids],
        ablated: [...ablate],
        layers: sites.map((site) => layerOf(site, subject, { tap, scores, cache })),
        streams: subject.hasStreams ? streamNames(subject).map(tap) : [],
        mlp: subject.hasStreams ? sites.map(({ layer }) => tap(mlpName(layer))) : [],
        bytes: captureBytes(subject, ids.length),
        ms: { captured: captured.ms, plain: plain.ms },
      };
    },
    async show({ ids, ablated }, hooks, visit, signal) {
      const hookOf = new Map(hooks.map((hook) => [nameInGraph(subject, hook), hook]));
      const shown = [...hookOf.keys()];
      const part = await open(partFor(subject, shown));
      try {
        await readThrough(part.session, signature, {
          ids,
          shown,
          visit: (name, rows, first) => visit(hookOf.get(name) ?? name, rows, first),
          constant: switches(sites, ablated),
          signal,
        });
      } finally {
        await part.close();
      }
    },
    async close() {
      await patterns.close();
      await close();
    },
  };
}

/** Heads that only a run shows, counted in a run of two tokens. */
async function complete(
  subject: Subject,
  session: Session,
  scored: readonly string[],
): Promise<Subject> {
  const { sites, signature } = subject;
  if (sites.every(({ heads }) => heads > 0)) return subject;
  const heads = new Map<string, number>();
  await readThrough(session, signature, {
    ids: [0, 0],
    shown: scored,
    visit: (name, { dims }) => void heads.set(name, Number(dims.at(-3))),
    constant: switches(sites, []),
  });
  return {
    ...subject,
    sites: sites.map((site) => ({ ...site, heads: heads.get(site.scores) ?? site.heads })),
  };
}

function newTaps(subject: Subject, tokens: number): Map<string, Tap> {
  return new Map(
    [...tapWidths(subject)].map(([name, width]) => [
      name,
      { name, width, data: new Float32Array(tokens * width) },
    ]),
  );
}

function layerOf(
  { heads, keyValueHeads, parts, scores: name, sinks }: AttentionSite,
  { signature }: Subject,
  found: { tap: (name: string) => Float32Array; scores: ScoreStore; cache: Float32Array[] },
): LayerCapture {
  if (parts === null) {
    const attention = { kind: 'scores', scores: found.scores.of(name), sinks } as const;
    return { heads, keyValueHeads, attention };
  }
  return {
    heads,
    keyValueHeads,
    attention: {
      kind: 'parts',
      rule: parts.rule,
      headDim: cachePort(signature, parts.key).headDim,
      query: found.tap(parts.query),
      key: found.cache[signature.cache.indexOf(cachePort(signature, parts.key))],
      value: found.cache[signature.cache.indexOf(cachePort(signature, parts.value))],
    },
  };
}

/** The inputs that switch heads off. */
function switches(sites: readonly AttentionSite[], ablate: readonly Head[]): Tensors {
  return Object.fromEntries(
    sites.map(({ layer, heads, keep, keepRank }) => {
      // Where their number is not known yet, one switch stands for all.
      const data = new Float32Array(heads || 1).fill(1);
      for (const off of ablate) if (off.layer === layer) data[off.head] = 0;
      const ones = Array.from({ length: keepRank - 1 }, () => 1);
      return [keep, float32(data, [data.length, ...ones])];
    }),
  );
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await work();
  return { value, ms: performance.now() - start };
}
