import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` and says which share of all processors other processes took meanwhile; 0 where the
 * system does not tell (it does on Linux).
 */
export async function withForeignLoad<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ result: T; foreign: number }> {
  const before = [ticksOf(pids), systemTicks()] as const;
  const result = await work();
  const own = ticksOf(pids) - before[0];
  const system = systemTicks();
  const all = system.all - before[1].all;
  const busy = system.busy - before[1].busy;
  return { result, foreign: all > 0 ? Math.max(0, busy - own) / all : 0 };
}

/** Waits for half a second in which the machine does next to nothing; at most `limitMs`. */
export async function untilQuiet(limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  for (let quiet = 0; quiet < 2 && performance.now() < end;) {
    const { foreign } = await withForeignLoad([process.pid], () => sleep(250));
    quiet = foreign < 0.1 ? quiet + 1 : 0;
  }
}

/** Processor time of the whole machine in clock ticks, from /proc/stat. */
function systemTicks(): { all: number; busy: number } {
  if (process.platform !== 'linux') return { all: 0, busy: 0 };
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user, nice, system, idle, wait, irq, softIrq] = line.split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + irq + softIrq;
  return { all: busy + idle + wait, busy };
}

/** Processor time of processes in clock ticks, from /proc/<pid>/stat. */
function ticksOf(pids: readonly number[]): number {
  if (process.platform !== 'linux') return 0;
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + Number(fields[11]) + Number(fields[12]);
  }, 0);
}
