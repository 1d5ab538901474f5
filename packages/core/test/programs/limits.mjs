// Many threads, deep stacks, and what happens when there is no more memory. See limits.test.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { create, run, sleep, stats, wait } from '@libcr/core';
import { main, scale, shown } from './check.mjs';

const rss = () => process.memoryUsage.rss();
const collect = () => globalThis.gc({ type: 'major', execution: 'sync' });

main({
  async many() {
    const n = scale(20_000, 2000);
    await run(() => sleep(1));
    collect();
    const before = rss();
    let open;
    const gate = new Promise((resolve) => {
      open = resolve;
    });
    let inside = 0;
    const nested = (depth, i) => {
      if (depth > 0) return nested(depth - 1, i) + 1;
      inside++;
      return wait(gate) + i;
    };
    const tds = Array.from({ length: n }, (_, i) => create(() => nested(5, i)));
    while (inside < n) await delay(5);
    const { alive } = stats();
    const seen = tds.every((td) => td.state === 'blocked');
    collect();
    const each = (rss() - before) / n / 1024;
    open(1000);
    let right = 0;
    for (let i = 0; i < n; i++) if ((await tds[i].finished) === 1000 + i + 5) right++;
    tds.length = 0;

    // the memory of the finished ones goes back by and by: half of it, not necessarily all
    let left = 0;
    for (let looks = 0; looks < 400; looks++) {
      collect();
      left = (rss() - before) / (n * each * 1024);
      const { pooled, stacksCreated, stacksFreed } = stats();
      if (left < 0.5 && pooled < n / 10 && stacksFreed > stacksCreated / 2) break;
      if (looks >= 80 && left < 0.65) break; // that is enough, and more may not come
      await delay(250);
    }
    const { pooled, stacksCreated, stacksFreed } = stats();
    const again = await run(() => 'works');
    return {
      n,
      alive: alive === n,
      seen,
      each,
      right: right === n,
      left,
      pooled,
      retired: stacksFreed / stacksCreated,
      again,
    };
  },

  async createAndFinish() {
    // a hundred thousand one after the other: stacks are used again
    const n = scale(100_000, 2000);
    let sum = 0;
    const one = () => {
      sum++;
    };
    await run(() => {
      for (let i = 0; i < n; i++) create(one).join();
    });
    return { all: sum === n, stacks: stats().stacksCreated < 100, alive: stats().alive };
  },

  async recursion() {
    // endless recursion is a RangeError, in JavaScript and where the runtime recurses, again and again
    const recurse = () => recurse() + 1;
    const sorts = () => [2, 1].sort(sorts);
    const replaces = () => 'x'.replace('x', replaces);
    const parses = () => JSON.parse('[1]', parses);
    const proxies = () => new Proxy({}, { get: proxies }).anything;
    const regexp = () => new RegExp(`${'('.repeat(1e5)}${')'.repeat(1e5)}`);
    const nested = () => JSON.parse('['.repeat(1e6));
    const text = () => {
      let deep = [];
      for (let i = 0; i < 1e5; i++) deep = [deep];
      return JSON.stringify(deep);
    };
    const source = () => new Function(`return ${'('.repeat(1e5)}1${')'.repeat(1e5)}`);
    const seen = {};
    for (const fn of [recurse, sorts, replaces, parses, proxies, regexp, nested, text, source]) {
      const results = [];
      for (const stackSize of [128 * 1024, 256 * 1024, 1024 * 1024])
        results.push(
          await create(
            () => {
              try {
                fn();
                return 'returned';
              } catch (error) {
                return error.name;
              }
            },
            { stackSize },
          ).finished,
        );
      seen[fn.name] = results;
    }
    seen.uncaught = await create(recurse).finished.catch((error) => error.name);
    seen.afterwards = await run(() => {
      sleep(1);
      return 'fine';
    });
    return seen;
  },

  async recursionWithWaits() {
    // waiting at every depth, down to the end
    return create(
      () => {
        let depth = 0;
        const down = () => {
          depth++;
          if (depth % 100 === 0) sleep(0);
          down();
        };
        try {
          down();
        } catch (error) {
          return { name: error.name, deep: depth > 300 };
        }
      },
      { stackSize: 256 * 1024 },
    ).finished;
  },

  async overrun() {
    const grow = createRequire(import.meta.url)(process.argv[3]);
    const fits = await create(() => grow(40_000) !== undefined, { name: 'modest' }).finished;
    console.log(`fits ${fits}`);
    await create(() => grow(4_000_000), { name: 'gr\u00fcnspan' }).finished;
  },

  async noStack() {
    // no address space for more stacks: those threads fail, the others and the program live on
    const limit = (bytes) => {
      const { status } = spawnSync('prlimit', ['--pid', String(process.pid), `--as=${bytes}:`]); // the soft limit only
      if (status !== 0) throw new Error('prlimit has failed');
    };
    const big = (stackSize, n, gate) =>
      Array.from({ length: n }, (_, i) => create(() => wait(gate) + i, { stackSize, name: `big ${i}` }));
    await Promise.all(big(2 ** 18, 4, 1).map((td) => td.finished)); // what V8 compiles later would want memory, too
    const status = readFileSync('/proc/self/status', 'utf8');
    // Fifteen of them fit, and half of one is left for V8.
    limit(Number(/VmSize:\s+(\d+) kB/.exec(status)[1]) * 1024 + 15.5 * 2 ** 26);
    let open;
    const gate = new Promise((resolve) => {
      open = resolve;
    });
    const n = 64;
    const tds = big(2 ** 26, n, gate);
    const outcomes = Promise.allSettled(tds.map((td) => td.finished));
    while (tds.some((td) => td.state === 'runnable')) await new Promise(setImmediate);
    limit('unlimited'); // V8 would not live long on what is left
    const alive = tds.filter((td) => td.state === 'blocked').length;
    open(100);
    const settled = await outcomes;
    const failed = settled.filter((s) => s.status === 'rejected').map((s) => shown(s.reason));
    const worked = settled.filter((s, i) => s.value === 100 + i).length;
    const again = await create(() => 'works again', { stackSize: 2 ** 26 }).finished;
    return {
      some: failed.length > 0 && worked > 0,
      all: failed.length + worked === n && alive === worked,
      error: failed[0],
      codes: [...new Set(failed.map((e) => e.code))],
      states: tds.every((td) => td.state === 'finished'),
      again,
    };
  },
});
