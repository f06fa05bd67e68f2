import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCode } from '../../library/folders.ts';

/** Where Linux shows the energy counters of processors (RAPL). */
const powercap = '/sys/class/powercap';

/** One processor package. */
interface Zone {
  readonly file: string;
  /** The counter begins anew behind this many microjoules. */
  readonly range: number;
  microjoules: number;
}

/**
 * Joules that all processor packages have taken since this call, whoever made them work; null where
 * there is no counter or no permission to read it. It must be asked before a counter has gone round
 * twice, which takes minutes.
 */
export function openEnergyMeter(root = powercap): (() => number) | null {
  const zones = packageZones(root);
  if (zones.length === 0) return null;
  let total = 0;
  return () => {
    for (const zone of zones) {
      const now = numberIn(zone.file);
      const used = now - zone.microjoules;
      total += used < 0 ? used + zone.range : used;
      zone.microjoules = now;
    }
    return total / 1e6;
  };
}

function packageZones(root: string): Zone[] {
  try {
    // Others count parts of a package, or the whole machine.
    const names = readdirSync(root).filter((name) => /^intel-rapl:\d+$/.test(name));
    return names
      .map((name) => join(root, name))
      .filter((folder) => readFileSync(join(folder, 'name'), 'utf8').startsWith('package'))
      .map((folder) => {
        const file = join(folder, 'energy_uj');
        const range = numberIn(join(folder, 'max_energy_range_uj'));
        return { file, range, microjoules: numberIn(file) };
      });
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ENODATA')) return [];
    throw error;
  }
}

const numberIn = (file: string): number => Number(readFileSync(file, 'utf8'));
