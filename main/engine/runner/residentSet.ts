import { readFileSync, writeFileSync } from 'node:fs';
import pidusage from 'pidusage';
import { LatheError } from '../../../preload/contract/errors.ts';
import { isAlive, isCode } from '../../library/folders.ts';

/** Resident set of a process, in bytes, seen from outside. */
export async function residentBytesOf(pid: number): Promise<number> {
  const usage = await pidusage(pid);
  return usage.memory;
}

/**
 * Resident set of a process in bytes, and its largest since the process began or `forgetPeak` was
 * called; where the system keeps no such account, both are the same.
 */
export async function residentSetOf(pid: number): Promise<{ bytes: number; peakBytes: number }> {
  if (process.platform === 'linux') return statusOf(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const bytes = await residentBytesOf(pid);
  return { bytes, peakBytes: bytes };
}

/** Both from the text of /proc/<pid>/status; a process that is just ending has neither. */
export function statusOf(status: string): { bytes: number; peakBytes: number } {
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  const bytes = 1024 * kilobytes('VmRSS');
  return { bytes, peakBytes: Math.max(bytes, 1024 * kilobytes('VmHWM')) };
}

/** Has the system measure the largest resident set of a process anew, where it does. */
export function forgetPeak(pid: number): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch (error) {
    // Not every container has this file, or lets it be written: then a peak holds on.
    if (!isCode(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ESRCH')) throw error;
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Why a process that took too much memory was ended. */
export function tooLarge(name: string, bytes: number, limit: number): LatheError {
  return new LatheError(
    'memory_limit',
    `the process that ran ${name} used more memory than its limit of ${gigabytes(limit)}: ${gigabytes(bytes)}`,
    { value: String(bytes), next: ['choose-model', 'shorten-prompt'] },
  );
}

/** A process that cannot be measured cannot be held to its limit. */
export function blind(error: unknown): LatheError {
  return new LatheError(
    'runner_crashed',
    `the memory of a runner cannot be measured: ${error instanceof Error ? error.message : String(error)}`,
    { next: ['retry'] },
    { cause: error },
  );
}

/** Ends a process when it takes more memory than `limit` says, until the returned call. */
export function watchMemory(pid: number, { name, limit, pollMs, end }: MemoryWatch): () => void {
  const look = async (): Promise<void> => {
    const bytes = await residentBytesOf(pid);
    if (bytes > limit()) end(tooLarge(name, bytes, limit()));
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      // A process that has just ended has no resident set; its end is told elsewhere.
      if (isAlive(pid)) end(blind(error));
    });
  }, pollMs);
  return () => clearInterval(timer);
}

interface MemoryWatch {
  /** What the process works on, for the message. */
  readonly name: string;
  /** In bytes; asked again at every look. */
  readonly limit: () => number;
  readonly pollMs: number;
  readonly end: (reason: LatheError) => void;
}
