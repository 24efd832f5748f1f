import { defineConfig } from 'vitest/config';

/** The pages in a real browser: apart from the other tests, which run on a machine with nothing installed. */
export default defineConfig({
  test: {
    include: ['acceptance/browser.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
