import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Machine } from '../../preload/contract/circumstances.ts';

/** This machine, as far as figures depend on it. */
export function machineFacts(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: physicalCores(),
    memoryBytes: machineMemory(),
    platform: `${process.platform}-${process.arch}`,
    release: release(),
  };
}

/** Cores that compute on their own: two threads of one core slow a matrix product down. */
export function physicalCores(): number {
  const usable = availableParallelism();
  if (process.platform !== 'linux') return usable;
  return Math.min(usable, coresOf(readFileSync('/proc/cpuinfo', 'utf8')) || usable);
}

/** Distinct cores in the text of /proc/cpuinfo; 0 where it does not say. */
export function coresOf(cpuinfo: string): number {
  const cores = cpuinfo.split(/\n\s*\n/).flatMap((processor) => {
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1];
    const socket = /^physical id\s*:\s*(\d+)/m.exec(processor)?.[1] ?? '0';
    return core === undefined ? [] : [`${socket}:${core}`];
  });
  return new Set(cores).size;
}

/** Memory in bytes that this process and its children may use at most, containers included. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}
