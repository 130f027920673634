import { defineConfig } from 'vitest/config';

/** What runs real programs (baresip, SIPp, Chromium, a whole switch): one file at a time, and patient. */
const END_TO_END = ['**/*.e2e.test.ts', 'testbed/e2e/**/*.test.ts', 'switch/test/e2e/**/*.test.ts'];
const NEVER = ['**/node_modules/**', 'build/**', 'testbed/dist/**'];

export default defineConfig({
  test: {
    environment: 'node',
    reporters: ['./tools/vitest-reporter.ts'],
    globalSetup: ['tools/vitest-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, ...END_TO_END],
          testTimeout: 15_000,
          hookTimeout: 30_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: END_TO_END,
          exclude: NEVER,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
