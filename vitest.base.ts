// What every package has in common when vitest tests it.
import { availableParallelism } from 'node:os';
import type { ViteUserConfig } from 'vitest/config';

export const base: ViteUserConfig = {
  test: {
    pool: 'forks', // native code in process-wide state: never vitest's worker threads
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    maxWorkers: availableParallelism(), // vitest leaves one CPU free: on two, half of them, though most tests wait for a child process
    // What Node gives a child as its stdin is a socket. A bash that finds one there, and no shell above it, takes itself for a remote shell daemon's
    // and reads ~/.bashrc: whatever the user has there would run beside what is tested.
    env: { SHLVL: '1' },
    testTimeout: 300_000, // what hangs is a failure; what is slow, on a machine with other work, is none
    hookTimeout: 300_000,
  },
};
