import { defineConfig } from '@playwright/test';
import type { ShellOptions } from './app/shell.ts';

export default defineConfig<ShellOptions>({
  globalSetup: './setup/built.ts',
  testDir: './app',
  testMatch: '*.e2e.ts',
  outputDir: '../test-results',
  reporter: 'list',
  // One window at a time: the tests watch how fast it is.
  workers: 1,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  use: { trace: 'off' },
  projects: [
    { name: 'desktop', use: { shellKind: 'desktop' } },
    { name: 'browser', use: { shellKind: 'browser' }, testIgnore: 'desktop.e2e.ts' },
  ],
});
