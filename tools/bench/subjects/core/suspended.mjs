// The first 20,000 userthreads of a process, each waiting for a promise six calls deep: nanoseconds for one, from nothing until all are
// suspended, and the bytes by which the resident set has grown for each. Run with --expose-gc.
import { create, wait } from '@libcr/core';
import { reportFigures } from '../../sample.mjs';

const THREADS = 20_000;
const CALLS = 6;

const resident = () => {
  globalThis.gc({ type: 'major', execution: 'sync' });
  return process.memoryUsage.rss();
};

let open;
const gate = new Promise((resolve) => {
  open = resolve;
});
let inside = 0;
const nested = (calls) => {
  if (calls > 1) return nested(calls - 1) + 1;
  inside++;
  return wait(gate);
};

const before = resident();
const start = process.hrtime.bigint();
const threads = Array.from({ length: THREADS }, () => create(() => nested(CALLS)));
while (inside < THREADS) await new Promise(setImmediate);
const ns = Number(process.hrtime.bigint() - start);
const bytes = resident() - before;

open(1);
for (const td of threads) if ((await td.finished) !== CALLS) throw new Error('a wrong result');
reportFigures({ time: ns / THREADS, memory: bytes / THREADS });
