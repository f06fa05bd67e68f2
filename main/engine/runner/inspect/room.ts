import type { ModelHolder } from '../loaded.ts';
import type { Memory } from '../source.ts';
import type { Captures } from './captures.ts';

/** Bytes that a runner needs beside what it holds: activations of a piece, and what it sends. */
const HEADROOM = 200e6;

/** What this process may still keep, in bytes. */
export const roomWithin = (memoryLimit: number): number =>
  memoryLimit - process.memoryUsage().rss - HEADROOM;

/**
 * Makes room for models to be looked into: lets go of the one that was loaded to write text, which
 * comes back by itself, then of captures.
 */
export async function makeRoom(
  { holder, captures }: { holder: ModelHolder; captures: Captures },
  { needs, memoryLimit }: Memory,
): Promise<void> {
  if (needs > roomWithin(memoryLimit)) await holder.release();
  await captures.letGo(needs, () => roomWithin(memoryLimit));
}
