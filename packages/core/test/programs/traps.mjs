// What V8 and Node need besides a stack of its own and V8's thread words: one case for each known trap. See traps.test.ts.
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { create, curthread, run, sleep, wait, yieldNow } from '@libcr/core';
import { main, scale, thrownBy } from './check.mjs';
import { instantiate } from './wasm.mjs';

const times = (n, fn) => Array.from({ length: n }, (_, i) => fn(i));
const all = (tds) => Promise.all(tds.map((td) => td.finished));

/** Threads that wait for ever, each with frames of the runtime's own C++ or wasm below it. */
function suspended(onFinally) {
  const block = () => {
    try {
      wait(new Promise(() => {}));
    } finally {
      onFinally();
    }
  };
  const below = [
    () => [2, 1].sort(block),
    () => 'x'.replace(/x/, block),
    () => JSON.parse('[1]', block),
    () => Reflect.construct(class { constructor() { block(); } }, []), // biome-ignore format: one line each
    () => runInNewContext('f()', { f: block }),
    () => instantiate(block)(1),
    () => [...(function* () { yield block(); })()], // biome-ignore format: one line each
    () => new Proxy({}, { get: block }).anything,
    () => new Int8Array([2, 1]).sort(block),
    block,
  ];
  return below.map((fn) => create(fn, { daemon: true }));
}

async function allBlocked(tds) {
  while (tds.some((td) => td.state !== 'blocked')) await delay(1);
}

main({
  async wasmCodeGc() {
    // wasm code is made and dropped while other threads' stacks are archived; the flag of the same name makes
    // V8 look often
    const rounds = scale(40);
    let sum = 0;
    const tds = times(8, (i) =>
      create(() => {
        for (let n = 0; n < rounds; n++) {
          const runs = instantiate(n % 2 ? () => yieldNow() : () => sleep(0));
          for (let k = 0; k < 5; k++) {
            const one = runs(i) - i; // `sum += runs(i)` would read sum before the switch
            sum += one;
          }
          if (n % 10 === 0) globalThis.gc?.();
        }
      }),
    );
    await all(tds);
    return sum === 8 * rounds * 5;
  },

  async fetchUsesWasm() {
    const server = createServer((request, response) => {
      create(() => {
        sleep(1);
        response.end(`hello ${request.url}`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const tds = times(scale(50), (i) =>
      create(() => {
        const response = wait(fetch(`http://127.0.0.1:${port}/${i}`));
        globalThis.gc?.();
        return wait(response.text()) === `hello /${i}`;
      }),
    );
    const results = await all(tds);
    server.close();
    server.closeAllConnections();
    return results.length > 1 && results.every(Boolean);
  },

  async asyncLocalStorage() {
    const store = new AsyncLocalStorage();
    const other = new AsyncLocalStorage();
    const bad = [];
    const check = (expected, where) => {
      const got = store.getStore();
      if (got !== expected) bad.push(`${where}: ${got} instead of ${expected}`);
    };
    const body = (i) => () => {
      check(i, 'inherited');
      yieldNow();
      check(i, 'after yieldNow');
      sleep(i % 3);
      check(i, 'after sleep');
      wait(Promise.resolve());
      check(i, 'after wait');
      const inner = store.run(`inner ${i}`, () => {
        yieldNow();
        sleep(1);
        check(`inner ${i}`, 'in run() after a wait');
        const child = create(() => {
          sleep(0);
          return store.getStore();
        });
        return child.join();
      });
      if (inner !== `inner ${i}`) bad.push(`the child of ${i} has ${inner}`);
      check(i, 'after run()');
      const later = wait(new Promise((resolve) => setTimeout(() => resolve(store.getStore()), 1)));
      if (later !== i) bad.push(`a timer of ${i} has ${later}`);
      const afterAwait = wait(
        (async () => {
          await delay(1);
          return store.getStore();
        })(),
      );
      if (afterAwait !== i) bad.push(`an async function of ${i} has ${afterAwait}`);
      store.enterWith(`entered ${i}`);
      yieldNow();
      sleep(1);
      check(`entered ${i}`, 'after enterWith()');
      if (other.getStore() !== 'the other') bad.push(`the other store is ${other.getStore()}`);
    };
    const tds = other.run('the other', () => times(scale(40, 6), (i) => store.run(i, () => create(body(i)))));
    check(undefined, 'thread0 after create()');
    setImmediate(() => check(undefined, 'an immediate of thread0'));
    const timer = setInterval(() => check(undefined, 'a timer of thread0'), 1);
    await store.run('awaiting', async () => {
      await all(tds);
      check('awaiting', 'thread0 after the threads');
    });
    clearInterval(timer);
    await delay(2);
    check(undefined, 'thread0 in the end');
    return bad.slice(0, 10);
  },

  async asyncLocalStorageExit() {
    // where the store is kept by async_hooks, exit() switches the whole AsyncLocalStorage off, for all: not
    // on Node 20 and 22
    const store = new AsyncLocalStorage();
    const tds = times(10, (i) =>
      store.run(i, () =>
        create(() => {
          const inside = store.exit(() => {
            yieldNow();
            sleep(i % 3);
            return store.getStore() ?? 'none';
          });
          return [inside, store.getStore() === i];
        }),
      ),
    );
    return (await all(tds)).every(([inside, after]) => inside === 'none' && after);
  },

  async nestedScope() {
    // several threads wait in scopes of resources of their own, out of order
    const bad = [];
    const body = (i) => () => {
      const before = executionAsyncId();
      for (let round = 0; round < 3; round++) {
        const outer = new AsyncResource('OUTER');
        outer.runInAsyncScope(() => {
          if (executionAsyncId() !== outer.asyncId()) bad.push(`${i}: the outer id`);
          const waits = (fn) => {
            const outcome = thrownBy(fn);
            if (!('returned' in outcome)) bad.push(outcome);
          };
          waits(() => sleep((i * 7) % 4));
          const inner = new AsyncResource('INNER');
          inner.runInAsyncScope(() => {
            waits(() => yieldNow());
            waits(() => wait(Promise.resolve()));
            if (executionAsyncId() !== inner.asyncId()) bad.push(`${i}: the inner id after a wait`);
          });
          if (executionAsyncId() !== outer.asyncId()) bad.push(`${i}: the outer id after a wait`);
        });
        if (executionAsyncId() !== before) bad.push(`${i}: the id of the thread`);
        sleep(i % 2);
        if (executionAsyncId() !== before) bad.push(`${i}: the id of the thread after a wait`);
      }
      return AsyncResource.bind(() => 'bound')();
    };
    const n = scale(20, 4);
    const values = await all(times(n, (i) => create(body(i))));
    const deep = await run(() => {
      // deeper than the id stack is long at first: it grows
      const down = (k) =>
        k === 0 ? thrownBy(() => sleep(1)) : new AsyncResource('D').runInAsyncScope(down, null, k - 1);
      return down(100);
    });
    return {
      bad: bad.slice(0, 10),
      values: values.every((v) => v === 'bound'),
      deep: deep.code ?? 'fine',
      after: executionAsyncId() >= 0 && curthread().id === 0,
    };
  },

  async hooksEnabled() {
    // async_hooks watching makes Node check the id stack more strictly
    const { createHook } = await import('node:async_hooks');
    let before = 0;
    let after = 0;
    const hook = createHook({
      before() {
        before++;
      },
      after() {
        after++;
      },
    }).enable();
    const tds = times(scale(20, 4), (i) =>
      create(() => {
        for (let n = 0; n < 5; n++) {
          sleep(i % 3);
          wait(Promise.resolve());
          yieldNow();
        }
      }),
    );
    await all(tds);
    hook.disable();
    return { before: before > 0, after: after > 0 };
  },

  async exitWithSuspended() {
    const tds = suspended(() => console.log('finally'));
    await allBlocked(tds);
    return 'ends with them';
  },

  async processExitWithSuspended() {
    const tds = suspended(() => console.log('finally'));
    process.on('exit', (code) => console.log(JSON.stringify(`exit ${code}`)));
    await allBlocked(tds);
    process.exit(0);
  },

  async workersWithSuspended() {
    // a Worker that ends, one that calls process.exit(), one that is terminated, all with suspended threads
    const codes = {};
    for (const how of ['ends', 'exits', 'terminated', 'throws']) {
      const worker = new Worker(new URL(import.meta.url), { argv: ['worker', how], stdout: true });
      let text = '';
      worker.stdout.on('data', (data) => {
        text += data;
      });
      const error = new Promise((resolve) => worker.on('error', (e) => resolve(e.message)));
      const ended = new Promise((resolve) => worker.on('exit', resolve)); // once() would reject on 'error'
      if (how === 'terminated') {
        await once(worker, 'message');
        await worker.terminate();
      }
      const code = await ended;
      codes[how] = how === 'throws' ? [code, await error] : code;
      if (text.includes('finally')) codes.text = text;
    }
    return codes;
  },

  async worker() {
    const { parentPort } = await import('node:worker_threads');
    const how = process.argv[3];
    const tds = suspended(() => process.stdout.write('finally\n'));
    await allBlocked(tds);
    if (how === 'terminated') {
      parentPort.postMessage('ready');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    }
    if (how === 'exits') process.exit(7);
    if (how === 'throws')
      setImmediate(() => {
        throw new Error('from the worker');
      });
  },

  async abortRunsFinally() {
    let finallies = 0;
    const tds = suspended(() => {
      finallies++;
    });
    await allBlocked(tds);
    for (const td of tds) td.abort();
    const results = await Promise.allSettled(tds.map((td) => td.finished));
    return { finallies, errors: results.every((r) => r.reason?.name === 'AbortError') };
  },
});
