import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { homePath } from '../../main/library/home.ts';

test('the library lies where it was asked for, else where LATHE_HOME says', () => {
  const environment = { LATHE_HOME: 'there' };
  expect(homePath('here', environment)).toBe(resolve('here'));
  expect(homePath(undefined, environment)).toBe(resolve('there'));
  expect(homePath('', environment)).toBe(resolve('there'));
});

test.runIf(process.platform === 'linux')('an empty variable counts as none', () => {
  const usual = join(homedir(), '.local', 'share', 'lathe');
  expect(homePath(undefined, { LATHE_HOME: '', XDG_DATA_HOME: '' })).toBe(usual);
  expect(homePath(undefined, { XDG_DATA_HOME: '/data' })).toBe('/data/lathe');
});
