import { defineConfig } from 'vitest/config';

/** The tests that need Docker: `npm run test:containers`. */
export default defineConfig({
  test: {
    include: ['containers/**/*.test.ts'],
    globalSetup: './containers/build-image.ts',
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
