import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    exclude: ['test/app/**/*.e2e.ts', 'test/**/*.corpora.test.ts'],
    // Native sessions and child processes: one process per file, two files at a time.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
