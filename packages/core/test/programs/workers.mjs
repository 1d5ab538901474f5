// Several Workers with userthreads of their own, beside the main thread's. See worker.test.ts.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create, curthread, run, sleep, stats, userthreads, wait, yieldNow } from '@libcr/core';
import { main, scale } from './check.mjs';

const start = (workerCase, data) =>
  new Worker(new URL(import.meta.url), { argv: ['worker'], workerData: { workerCase, ...data } });

/** Threads that count together in a SharedArrayBuffer, one place for each CPU. */
async function count(shared, place, rounds) {
  const counts = new Int32Array(shared);
  const tds = Array.from({ length: 20 }, (_, i) =>
    create(() => {
      for (let n = 0; n < rounds; n++) {
        counts[place]++;
        if ((n + i) % 10 === 0) sleep(0);
        else yieldNow();
      }
    }),
  );
  await Promise.all(tds.map((td) => td.finished));
}

const inWorker = {
  count: () => count(workerData.shared, workerData.place, workerData.rounds),

  async ids() {
    await run(() => sleep(1));
    parentPort.postMessage({ zero: curthread().id, first: create(() => 1).id, created: stats().created });
  },

  async echo() {
    // messages of node:worker_threads in blocking style
    await run(() => {
      for (;;) {
        const [message] = wait(once(parentPort, 'message'));
        if (message === 'end') return;
        parentPort.postMessage(message * 2);
      }
    });
    parentPort.close();
  },

  async nested() {
    if (workerData.depth === 0) return parentPort.postMessage(await run(() => sleep(1) ?? 'deepest'));
    const worker = start('nested', { depth: workerData.depth - 1 });
    const [message] = await once(worker, 'message');
    parentPort.postMessage(`${workerData.depth} ${message}`);
  },

  async short() {
    await run(() => sleep(0));
  },

  async mustNotLoadTwice() {
    const { createRequire } = await import('node:module');
    const required = createRequire(import.meta.url)('@libcr/core');
    parentPort.postMessage({
      same: required.create === create,
      thread0: required.curthread() === curthread(),
    });
  },
};

/** The native half asks for globalThis.process, whose getter is still at it when this Worker is told to end. */
const loadsForEver = `
  const { shared, url } = require('node:worker_threads').workerData;
  const seen = new Int32Array(shared);
  const { process } = globalThis;
  const { dlopen } = process;
  let loads = false;
  process.dlopen = (...args) => {
    loads = true;
    dlopen.apply(process, args);
  };
  Object.defineProperty(globalThis, 'process', {
    get() {
      if (!loads) return process;
      Atomics.store(seen, 0, 1);
      Atomics.notify(seen, 0);
      for (;;);
    },
  });
  require('node:module').createRequire(url)('@libcr/core');`;

if (!isMainThread) await inWorker[workerData.workerCase]();
else
  main({
    async atOnce() {
      const shared = new SharedArrayBuffer(5 * 4);
      const rounds = scale(200, 20);
      const workers = [1, 2, 3, 4].map((place) => start('count', { shared, place, rounds }));
      const exits = workers.map((worker) => once(worker, 'exit'));
      await count(shared, 0, rounds);
      const codes = (await Promise.all(exits)).map(([code]) => code);
      return { codes, counts: [...new Int32Array(shared)].map((n) => n / rounds / 20) };
    },

    async separate() {
      // ids, counters and lists are each CPU's own
      let open;
      const gate = new Promise((resolve) => {
        open = resolve;
      });
      const td = create(() => wait(gate));
      const worker = start('ids');
      const [seen] = await once(worker, 'message');
      const mine = { alive: userthreads().length, state: td.state };
      open();
      await td.finished;
      return { seen, mine };
    },

    async parentPort() {
      const worker = start('echo');
      const answers = await run(() =>
        [1, 2, 3].map((n) => {
          worker.postMessage(n);
          const [answer] = wait(once(worker, 'message'));
          return answer;
        }),
      );
      worker.postMessage('end');
      await once(worker, 'exit');
      return answers;
    },

    async nested() {
      const worker = start('nested', { depth: 2 });
      return (await once(worker, 'message'))[0];
    },

    async fromThread() {
      // a Worker that is started, and waited for, on a userthread
      return run(() => {
        const worker = start('short');
        return wait(once(worker, 'exit'))[0];
      });
    },

    async oneAfterAnother() {
      const codes = new Set();
      for (let i = 0; i < scale(20, 3); i++) codes.add((await once(start('short'), 'exit'))[0]);
      return [...codes];
    },

    async endsAsItLoads() {
      const shared = new SharedArrayBuffer(4);
      const worker = new Worker(loadsForEver, { eval: true, workerData: { shared, url: import.meta.url } });
      const { value } = Atomics.waitAsync(new Int32Array(shared), 0, 0, 30_000);
      const code = await Promise.race([once(worker, 'exit'), value]);
      return { code, terminated: await worker.terminate() };
    },

    async required() {
      const worker = start('mustNotLoadTwice');
      return (await once(worker, 'message'))[0];
    },
  });
