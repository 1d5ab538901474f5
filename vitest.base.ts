// What every package has in common when vitest tests it.
import type { ViteUserConfig } from 'vitest/config';

export const base: ViteUserConfig = {
  test: {
    pool: 'forks', // native code in process-wide state: never vitest's worker threads
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
};
