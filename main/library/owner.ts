import { randomBytes } from 'node:crypto';
import { isAlive } from './folders.ts';

/** This process in the database, told from one that had the same id before. */
export const owner = `${process.pid}:${randomBytes(8).toString('hex')}`;

/** Whether the process that wrote this owner still runs. */
export function isRunning(recordedOwner: string): boolean {
  if (recordedOwner === owner) return true;
  const pid = Number(recordedOwner.split(':')[0]);
  return pid !== process.pid && isAlive(pid);
}
