import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'acceptance/**/*.test.ts'],
    // Needs a browser: vitest.browser.config.ts.
    exclude: ['acceptance/browser.test.ts'],
    globalSetup: './test/support/global-setup.ts',
    // A machine that is busy with something else may be slow; what a test waits for are conditions.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
