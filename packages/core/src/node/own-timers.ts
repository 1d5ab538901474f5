/**
 * own-timers.ts: the timers and the clock that this package's own work uses. Tests replace the global ones by those of a clock that they move on
 * themselves (fake timers): what a program waits for follows that clock, so sleep() and timeouts ask for the global setTimeout at each call; our own
 * work must go on, so it has what was there when this package was loaded.
 */
import * as timers from 'node:timers';

// Copies: what is imported changes when somebody replaces the module's functions and tells Node so (syncBuiltinESMExports).
export const ownTimers: {
  setImmediate: typeof timers.setImmediate;
  setTimeout: typeof timers.setTimeout;
  clearTimeout: typeof timers.clearTimeout;
  now(): number;
  eventLoopUtilization(): { idle: number; active: number };
} = {
  setImmediate: timers.setImmediate,
  setTimeout: timers.setTimeout,
  clearTimeout: timers.clearTimeout,
  now: Date.now,
  // Not from the global performance, whose making loads what few programs need, and which fake timers replace.
  eventLoopUtilization: () => process.getBuiltinModule('node:perf_hooks').performance.eventLoopUtilization(),
};
