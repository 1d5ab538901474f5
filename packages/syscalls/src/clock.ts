/**
 * clock.ts: the clocks as they were when this package was loaded. What libcr itself asks below a program's calls must not be seen by who has put something
 * in front of the program's clocks (shims/recording/sources/, fake timers).
 */
const { hrtime } = process;

/** CLOCK_MONOTONIC, in milliseconds. (Not performance.now(), which costs a program that does not use it the loading of node:perf_hooks.) */
export function milliseconds(): number {
  const [seconds, rest] = hrtime();
  return seconds * 1000 + rest / 1e6;
}
/** process.hrtime.bigint(): CLOCK_MONOTONIC. Nanoseconds. */
export const nanoseconds: () => bigint = process.hrtime.bigint;
/** Date.now(). Milliseconds since 1970. */
export const today: () => number = Date.now;
