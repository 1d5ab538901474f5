// A million messages through three shims, ready-made ones and one that counts: none is lost, and memory does not grow with them.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create, run, yieldNow } from '@libcr/core';
import { constants as c, defineShim, sys } from '@libcr/syscalls';
import { fault } from '@libcr/syscalls/shims/fault';
import { metrics } from '@libcr/syscalls/shims/metrics';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const THREADS = 20;
const ROUNDS = 10;
const MESSAGES = 1_000_000;
const EVERY = 10;
const SWITCH = 97;

let seen = 0;
const counter = defineShim({
  name: 'counter',
  on: 'all',
  shim: (next) => (msg) => {
    if (++seen % SWITCH === 0) yieldNow(); // the other threads' messages are under way meanwhile
    return next(msg);
  },
});
const faults = fault([{ on: ['pread64'], errno: 'EIO', every: EVERY }]);
const counters = metrics();

/** Each thread reads a file and looks at what it gets. */
function reads(fd, n) {
  const buffer = Buffer.alloc(8);
  let failed = 0;
  for (let i = 0; i < n; i++) {
    buffer.fill(1);
    try {
      if (sys.pread64(fd, buffer, 8, 0) !== 8 || buffer.readBigUInt64LE() !== 0n)
        throw new Error('wrong answer');
    } catch (error) {
      if (error.code !== 'EIO') throw error;
      failed++;
    }
  }
  return failed;
}

function usage() {
  gc();
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

await run(() => {
  const fd = sys.open('/dev/zero', c.O_CLOEXEC);
  const syscallPort = sys.with(counter, faults, counters);
  const before = sys.stats().messages;
  let failed = 0;
  let first;
  for (let round = 0; round < ROUNDS; round++) {
    const threads = Array.from({ length: THREADS }, () =>
      create(() => reads(fd, MESSAGES / ROUNDS / THREADS), { syscallPort }),
    );
    for (const td of threads) failed += td.join();
    if (round === 0) first = usage(); // code is compiled, stacks are there
  }
  const last = usage();
  const reached = counters.snapshot().reduce((sum, { count }) => sum + count, 0);
  console.log(
    JSON.stringify({
      messages: sys.stats().messages - before,
      seen,
      failed,
      injected: faults.counts[0].injected,
      reached,
      heapGrowth: last.heap - first.heap,
      rssGrowth: last.rss - first.rss,
    }),
  );
  sys.close(fd);
});
