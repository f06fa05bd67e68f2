import { expect, it } from 'vitest';
import { runnerEnvironment } from '../../../main/engine/runner/environment.ts';

it('asks for huge pages on Linux, and leaves everything else as it is', () => {
  expect(runnerEnvironment('linux', { HOME: '/home/ada' })).toEqual({
    HOME: '/home/ada',
    GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  });
  expect(runnerEnvironment('darwin', { HOME: '/home/ada' })).toEqual({ HOME: '/home/ada' });
});

it('keeps the tunables that the user has set', () => {
  const environment = { GLIBC_TUNABLES: 'glibc.malloc.check=1' };
  expect(runnerEnvironment('linux', environment)).toEqual(environment);
});
