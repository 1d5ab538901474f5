/**
 * main.ts: @libcr/core/top, for `node --import @libcr/core/top app.js`: makes this process one that `lwkt top` can look at. Workers, which inherit the option,
 * are seen through the main thread.
 */
import '../index.ts';
import { native } from '../node/native.ts';
import { serveTop } from './server.ts';

/** Two copies of this package in one process serve once. */
const SERVED = Symbol.for('@libcr/core/top');
const mark = globalThis as { [SERVED]?: true };

const isMainThread = native.onDefaultLoop || process.getBuiltinModule('node:worker_threads').isMainThread;

if (isMainThread && mark[SERVED] === undefined) {
  Object.defineProperty(mark, SERVED, { value: true });
  serveTop().catch((error) => {
    process.emitWarning(`lwkt top can't look at this process: ${error.message}`, { code: 'LWKT_TOP' });
  });
}
