import type { MemoryPhase, MemoryTrace } from '../../preload/contract/bench.ts';
import { isAlive } from '../library/folders.ts';
import { blind, forgetPeak, residentSetOf } from './runner/residentSet.ts';

/** The resident set of a process over time, watched from outside. */
export interface MemoryWatch {
  /** Another phase begins. */
  phase(name: MemoryPhase): Promise<void>;
  /** Looks a last time; to be called while the process lives. */
  end(): Promise<MemoryTrace>;
  /** Stops looking. */
  close(): void;
}

/** Points of a trace that are kept. */
const keptPoints = 2000;

/**
 * Looks every `pollMs`. Where the system keeps account of the largest resident set (Linux does), the
 * peak of a phase is exact; elsewhere it is the largest that was seen.
 */
export function traceMemory(pid: number, pollMs: number): MemoryWatch {
  const start = performance.now();
  const ms: number[] = [];
  const bytes: number[] = [];
  const phases: MemoryTrace['phases'] = [];
  let failure: unknown = null;

  const look = async (): Promise<void> => {
    const seen = await residentSetOf(pid);
    ms.push(performance.now() - start);
    bytes.push(seen.bytes);
    const phase = phases.at(-1);
    if (phase) phase.peakBytes = Math.max(phase.peakBytes, seen.peakBytes);
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      // A process that has just ended has no resident set; its end is told elsewhere.
      if (isAlive(pid)) failure ??= error;
    });
  }, pollMs);

  return {
    async phase(name) {
      await look();
      forgetPeak(pid);
      phases.push({ phase: name, startMs: performance.now() - start, peakBytes: 0 });
    },
    async end() {
      await look();
      if (failure !== null) throw blind(failure);
      return { phases, ...thinned(ms, bytes, keptPoints) };
    },
    close: () => clearInterval(timer),
  };
}

/** At most so many points, in order: of neighbours the largest, so that no peak is lost. */
export function thinned(
  ms: readonly number[],
  bytes: readonly number[],
  most: number,
): Pick<MemoryTrace, 'ms' | 'bytes'> {
  const count = Math.min(most, ms.length);
  const kept = Array.from({ length: count }, (_, part) => {
    const end = Math.floor(((part + 1) * ms.length) / count);
    let largest = Math.floor((part * ms.length) / count);
    for (let at = largest; at < end; at++) if (bytes[at] > bytes[largest]) largest = at;
    return largest;
  });
  return { ms: kept.map((at) => Math.round(ms[at])), bytes: kept.map((at) => bytes[at]) };
}
