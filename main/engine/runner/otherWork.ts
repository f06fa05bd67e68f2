import { cpus } from 'node:os';

/** Milliseconds of processors. */
export interface Usage {
  /** Of all processes together. */
  readonly all: number;
  /** Of this one. */
  readonly own: number;
  /** By the clock on the wall. */
  readonly wall: number;
}

/**
 * From this call on, how many cores processes other than this one keep busy on average; null where
 * the system does not count. It counts in steps of ten milliseconds or so.
 */
export function watchOthers(): () => number | null {
  const before = usage();
  return () => busyCores(before, usage());
}

export function busyCores(before: Usage, after: Usage): number | null {
  const all = after.all - before.all;
  const own = after.own - before.own;
  if (all <= 0) return null;
  return Math.max(0, all - own) / (after.wall - before.wall);
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0);
  return { all, own: (user + system) / 1000, wall: performance.now() };
}
