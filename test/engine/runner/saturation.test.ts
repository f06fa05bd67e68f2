import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signedBytesSaturate } from '../../../main/engine/runner/saturation.ts';

test('finds that 8-bit products saturate only where the processor has no VNNI', async () => {
  const saturates = await signedBytesSaturate();
  expect(await signedBytesSaturate()).toBe(saturates);
  if (process.platform !== 'linux') return;
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  if (/vnni/.test(flags) || process.arch !== 'x64') expect(saturates).toBe(false);
});
