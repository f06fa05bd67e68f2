import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEnergyMeter } from '../../../main/engine/runner/energy.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-rapl-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function zone(folder: string, name: string, microjoules: number): void {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'name'), `${name}\n`);
  writeFileSync(join(root, folder, 'max_energy_range_uj'), '262143328850\n');
  writeFileSync(join(root, folder, 'energy_uj'), `${microjoules}\n`);
}

test('joules are those of all packages since the meter was opened; their parts count once', () => {
  zone('intel-rapl:0', 'package-0', 5_000_000);
  zone('intel-rapl:1', 'package-1', 1_000_000);
  zone('intel-rapl:2', 'psys', 0);
  zone('intel-rapl:0:0', 'core', 0);
  const joules = openEnergyMeter(root);
  expect(joules?.()).toBe(0);
  zone('intel-rapl:0', 'package-0', 7_500_000);
  zone('intel-rapl:1', 'package-1', 1_250_000);
  zone('intel-rapl:2', 'psys', 9_000_000);
  zone('intel-rapl:0:0', 'core', 2_000_000);
  expect(joules?.()).toBe(2.75);
  expect(joules?.()).toBe(2.75);
});

test('a counter that began anew goes on from its range', () => {
  zone('intel-rapl:0', 'package-0', 262_143_000_000);
  const joules = openEnergyMeter(root);
  zone('intel-rapl:0', 'package-0', 671_150);
  expect(joules?.()).toBeCloseTo(1, 9);
});

test('there is no meter where nothing counts, or no package does', () => {
  expect(openEnergyMeter(join(root, 'nowhere'))).toBeNull();
  expect(openEnergyMeter(root)).toBeNull();
  zone('intel-rapl:0', 'psys', 0);
  expect(openEnergyMeter(root)).toBeNull();
});

test('there is no meter where a package has no counter', () => {
  zone('intel-rapl:0', 'package-0', 0);
  rmSync(join(root, 'intel-rapl:0', 'energy_uj'));
  expect(openEnergyMeter(root)).toBeNull();
});
