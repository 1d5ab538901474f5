/**
 * clock.ts: the clocks as they were when this package was loaded. What libcr itself asks below a program's calls must not be seen by who has put something
 * in front of the program's clocks (shims/recording/clock.ts, fake timers).
 */
import { performance } from 'node:perf_hooks';

/** performance.now(). Milliseconds. */
export const milliseconds: () => number = performance.now.bind(performance);
/** process.hrtime.bigint(): CLOCK_MONOTONIC. Nanoseconds. */
export const nanoseconds: () => bigint = process.hrtime.bigint;
/** Date.now(). Milliseconds since 1970. */
export const today: () => number = Date.now;
