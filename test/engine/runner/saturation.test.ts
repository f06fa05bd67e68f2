import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signedBytesSaturate } from '../../../main/engine/runner/saturation.ts';

test('finds that 8-bit products saturate only where the processor has no VNNI', async () => {
  const saturates = await signedBytesSaturate();
  expect(await signedBytesSaturate()).toBe(saturates);
  const known = process.platform === 'linux' && process.arch === 'x64';
  const may = known && !readFileSync('/proc/cpuinfo', 'utf8').includes('vnni');
  expect(saturates && !may).toBe(false);
});
