/**
 * loop.ts: the ways to the event loop as they were when this package was loaded: what has completed must be told also where a program's tests have put fake
 * timers in their place.
 *
 * Not here: the clocks (clock.ts).
 */
export const nextTick: typeof process.nextTick = process.nextTick;
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate;
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;
export const setInterval: typeof globalThis.setInterval = globalThis.setInterval;
export const clearInterval: typeof globalThis.clearInterval = globalThis.clearInterval;
