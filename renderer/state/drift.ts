import type { Circumstances } from '../../preload/contract/index.ts';

/** What differs between two measurements besides the model, in words: `onnxruntime 1.29.0 → 1.30.0`. */
export function changesBetween(before: Circumstances, after: Circumstances): string[] {
  const tools = [...new Set([...Object.keys(before.versions), ...Object.keys(after.versions)])];
  return [
    ...tools.map((tool) => [tool, before.versions[tool], after.versions[tool]] as const),
    ['device', before.device, after.device] as const,
    ['threads', before.threads, after.threads] as const,
    ['processor', before.machine.cpu, after.machine.cpu] as const,
    ['cores', before.machine.cores, after.machine.cores] as const,
    ['memory', memoryOf(before), memoryOf(after)] as const,
    ['platform', before.machine.platform, after.machine.platform] as const,
    ['kernel', before.machine.release, after.machine.release] as const,
  ]
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${name} ${was ?? 'none'} → ${is ?? 'none'}`);
}

const memoryOf = ({ machine }: Circumstances): string =>
  `${(machine.memoryBytes / 1e9).toFixed(1)} GB`;
