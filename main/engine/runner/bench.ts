import { setTimeout as sleep } from 'node:timers/promises';
import type {
  BenchRequest,
  BenchResult,
  MemoryPhase,
  SweepPoint,
} from '../../../preload/contract/bench.ts';
import { Decoder } from '../../inference/decoder.ts';
import {
  latencyOf,
  outliers,
  timeRuns,
  type Timings,
  type TimingOptions,
} from '../../inference/measure.ts';
import { costOf, planOf, type Point } from './benchPlan.ts';
import type { BenchAsked, BenchMeasured, BenchTold } from './contract.ts';
import { openEnergyMeter } from './energy.ts';
import { contextLengthIn } from './folder.ts';
import { graphOf } from './graph.ts';
import { timeLoad, timeLoads } from './loads.ts';
import { watchOthers } from './otherWork.ts';
import { profileModel } from './profile.ts';
import { telling } from './telling.ts';

/** A phase begins so long before its work, for who watches memory from outside to look. */
const lookMs = 50;

/** Samples that are kept; percentiles come from all. */
const keptSamples = 100_000;

/**
 * Measures a model in this process, which must be a fresh one: loads, runs, sweeps, operators, in
 * this order. Where the graph had to be built first it says so and measures nothing, because the
 * builder's memory stays with its process.
 */
export async function* bench(asked: BenchAsked, signal: AbortSignal): AsyncGenerator<BenchTold> {
  const first: BenchTold = { kind: 'progress', fraction: 0, detail: 'preparing the graph' };
  yield* telling<BenchTold>(first, async (tell) => {
    let isBuilt = false;
    const file = await graphOf(asked.load, () => (isBuilt = true));
    if (isBuilt) return { kind: 'built' };
    return { kind: 'done', result: await measure(asked, file, { signal, tell }) };
  });
}

interface Talk {
  readonly signal: AbortSignal;
  readonly tell: (event: BenchTold) => void;
}

async function measure(
  { load, request, scratch }: BenchAsked,
  file: string,
  { signal, tell }: Talk,
): Promise<BenchMeasured> {
  const phase = async (name: MemoryPhase): Promise<void> => {
    tell({ kind: 'phase', phase: name });
    await sleep(lookMs);
  };
  const plan = planOf(request);
  const total = plan.reduce((sum, { shape }) => sum + costOf(shape), 0);
  let done = 0;
  const time = async (decoder: Decoder, point: Point, options: TimingOptions = {}) => {
    const { detail, shape } = point;
    const cost = costOf(shape);
    const onProgress = (fraction: number): void =>
      tell({ kind: 'progress', fraction: (done + fraction * cost) / total, detail });
    const timings = await timeRuns(decoder, shape, { signal, onProgress, ...options });
    done += cost;
    return timings;
  };
  const options = { contextLength: contextLengthIn(load.folder), device: load.device };
  const points = (sweep: Point['sweep']): Point[] => plan.filter((one) => one.sweep === sweep);
  const sweep = async (decoder: Decoder, which: Point['sweep']): Promise<SweepPoint[]> => {
    const measured: SweepPoint[] = [];
    for (const point of points(which)) measured.push(sweepPoint(point, await time(decoder, point)));
    return measured;
  };

  await phase('load');
  tell({ kind: 'progress', fraction: 0, detail: 'loading the model' });
  const { decoder, loadMs, loads } = request.load
    ? await timeLoads(load, file)
    : { ...(await timeLoad(load, file)), loads: null };
  const [main] = points('none');
  const energy = load.device === 'cpu' ? openEnergyMeter() : null;
  const others = watchOthers();
  const timings = await time(decoder, main, { onPhase: phase, energy });
  const busy = others();
  if (plan.length > 1) await phase('sweeps');
  const contexts = await sweep(decoder, 'contexts');
  const batches = await sweep(decoder, 'batches');
  await decoder.close();
  const threadCounts: SweepPoint[] = [];
  for (const point of points('threadCounts')) {
    const other = await Decoder.open(file, { ...options, threads: point.at });
    try {
      threadCounts.push(sweepPoint(point, await time(other, point)));
    } finally {
      await other.close();
    }
  }
  let operators: BenchResult['operators'] = null;
  if (request.profile) {
    await phase('profile');
    tell({ kind: 'progress', fraction: 1, detail: 'timing the operators' });
    const asked = { file, shape: request, scratch, signal };
    operators = await profileModel(asked, { ...options, threads: load.threads });
  }
  return {
    ...resultOf(request, timings, busy),
    loadMs,
    loads,
    contexts,
    batches,
    threadCounts,
    operators,
  };
}

function resultOf(
  request: BenchRequest,
  { prefill, first, decode, joules }: Timings,
  busy: number | null,
) {
  const { promptTokens, batch } = request;
  const latency = latencyOf(decode, batch);
  // A counter that stands still counts nothing.
  const hasEnergy = joules !== null && joules > 0;
  return {
    prefill: latencyOf(prefill, promptTokens * batch),
    decode: latency,
    ttft: latencyOf(first, promptTokens * batch),
    // Nothing here is known to a tenth of a microsecond.
    decodeMs: decode.slice(0, keptSamples).map((ms) => Math.round(ms * 1e4) / 1e4),
    joulesPerToken: hasEnergy ? joules / (decode.length * batch) : null,
    protocol: protocolOf(request, { samples: decode.length, far: outliers(decode, latency), busy }),
  };
}

function sweepPoint({ at, shape }: Point, { first, decode }: Timings): SweepPoint {
  const { promptTokens, batch } = shape;
  return { at, ttft: latencyOf(first, promptTokens * batch), decode: latencyOf(decode, batch) };
}

const protocolOf = (
  { promptTokens, newTokens, batch, runs, form }: BenchRequest,
  { samples, far, busy }: { samples: number; far: number; busy: number | null },
): string =>
  `${runs} runs after one to warm up, each with an empty cache, a prompt of ${promptTokens} tokens ` +
  `and ${newTokens} greedy steps, ${batch === 1 ? 'one row' : `${batch} equal rows`}, ${form} ` +
  `graph; wall-clock time inside a fresh process that runs nothing else; no sample left out: ` +
  `${far} of ${samples} tokens took longer than three times the median` +
  (busy === null ? '' : `; other processes kept ${busy.toFixed(1)} cores busy meanwhile`);
