import { availableParallelism, totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { coresOf, machineMemory, physicalCores } from '../../main/engine/machine.ts';

const processor = (id: number, socket: number, core: number): string =>
  `processor\t: ${id}\nmodel name\t: A CPU\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n`;

test('two threads of one core count once, equal core numbers of two sockets twice', () => {
  const threads = [processor(0, 0, 0), processor(1, 0, 1), processor(2, 0, 0), processor(3, 0, 1)];
  expect(coresOf(threads.join('\n'))).toBe(2);
  expect(coresOf([processor(0, 0, 0), processor(1, 1, 0)].join('\n'))).toBe(2);
  expect(coresOf('processor\t: 0\nBogoMIPS\t: 50.00\n')).toBe(0);
});

test('a machine has at least one core and no more memory than it has', () => {
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
  expect(physicalCores()).toBeLessThanOrEqual(availableParallelism());
  expect(machineMemory()).toBeLessThanOrEqual(totalmem());
  expect(machineMemory()).toBeGreaterThan(0);
});
