// Who is found to keep the event loop. See watch-loop.test.ts. As a Worker, and as an rfork: the same there.
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { create, preemptible, Rfork, run, sleep, uninterrupted, watchLoop } from '@libcr/core';
import { main, thrownBy } from '../check.mjs';

const here = new URL(import.meta.url);
const limit = 40;
/** Looks whether something has been reported, before what should be is done once more. */
const TRIES = 300;

/** Several times the limit, so that whoever looks every quarter of it has seen it; on a busy machine the look may come too late all the same. */
function hogs(ms = 5 * limit) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** What is reported of fn, which hogs the loop: once more where it was seen too late. */
async function reported(fn) {
  let seen;
  for (let tries = 0; tries < 20 && !seen?.hogs; tries++) seen = await firstReport(fn);
  return seen;
}

/** What is reported first, of fn and until it comes. */
async function firstReport(fn) {
  const blocks = [];
  const watch = watchLoop({ limit, onBlock: (block) => blocks.push(block) });
  for (let n = 0; blocks.length === 0; n++) {
    if (n % TRIES === 0) await fn(); // again, where it has taken less than it should, or was seen too late
    await delay(1);
  }
  watch.stop();
  return blocks.map(({ name, td, stack, duration }) => ({
    name,
    td: td === undefined ? 'ended' : `${td.id} ${td.state}`,
    hogs: /at hogs /.test(stack),
    beyond: duration >= limit,
  }))[0];
}

async function inWorker() {
  const { name, hogs: found } = await reported(() => create(hogs, { name: 'in there' }).finished);
  return [name, found];
}

export default () => run(() => create(() => {}).join()).then(inWorker);

if (!isMainThread && parentPort !== null && process.argv[2] === 'worker')
  parentPort.postMessage(await inWorker());
else if (isMainThread)
  await main({
    async userthread() {
      let again = false;
      const goesOn = create(
        () => {
          for (;;) {
            while (!again) sleep(1);
            again = false;
            hogs();
          }
        },
        { name: 'goes on', daemon: true },
      );
      const first = await reported(() => (again = true));
      goesOn.abort();
      return [first, await reported(() => create(hogs, { name: 'ends' }).finished)];
    },

    /** Callbacks, microtasks, and a builtin that can't be interrupted: which is seen when JavaScript goes on. */
    async thread0() {
      const seen = [
        await reported(() => void setTimeout(hogs, 1)),
        await reported(() => Promise.resolve().then(() => hogs())),
      ];
      const pattern = /^(a+)+$/;
      let text = 'aaaaaaaaaaaaaaaa';
      const match = () => {
        const before = performance.now();
        pattern.test(`${text}!`);
        return performance.now() - before;
      };
      const longEnough = () => {
        while (match() < 2 * limit) text += 'a';
      };
      longEnough();
      const { name, td } = await firstReport(() => void setImmediate(longEnough));
      return [...seen, `${name} ${td}`];
    },

    /** Preemptible is one thing, a critical section another. */
    async critical() {
      return reported(
        () =>
          create(() => preemptible(() => uninterrupted(hogs), { slice: 1 }), { name: 'critical' }).finished,
      );
    },

    /** A loop that waits for something to do is kept by nobody. */
    async idle() {
      const blocks = [];
      const watch = watchLoop({ limit: 400, onBlock: ({ name, stack }) => blocks.push([name, stack]) });
      await run(() => sleep(1000));
      await delay(1000);
      watch.stop();
      return blocks;
    },

    async stopped() {
      const blocks = [];
      const options = { limit, onBlock: () => blocks.push('reported') };
      const watch = watchLoop(options);
      const again = thrownBy(() => watchLoop(options)).code;
      watch.stop();
      watch.stop();
      await run(() => hogs());
      await delay(10);
      const next = watchLoop(options);
      watch.stop(); // it is another one that watches
      const watched = thrownBy(() => watchLoop(options)).code;
      next[Symbol.dispose]();
      return { again, watched, blocks };
    },

    async throws() {
      let seen;
      process.on('uncaughtException', (error) => {
        seen = error.message;
      });
      const watch = watchLoop({
        limit,
        onBlock: () => {
          throw new Error('of onBlock');
        },
      });
      while (seen === undefined) {
        hogs();
        await delay(1);
      }
      watch.stop();
      return seen;
    },

    /** Nobody stops it. */
    async forgotten() {
      watchLoop({ limit, onBlock: () => {} });
      return 'ends';
    },

    async worker() {
      const worker = new Worker(here, { argv: ['worker'] });
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    },

    rfork: () => new Rfork(here).finished,

    misuse: () => {
      const onBlock = () => {};
      return [
        undefined,
        null,
        { onBlock },
        { limit: '5', onBlock },
        { limit: 0, onBlock },
        { limit: Number.NaN, onBlock },
        { limit: 3_600_001, onBlock },
        { limit },
        { limit, onBlock: 1 },
      ].map((options) => thrownBy(() => watchLoop(options)).code);
    },
  });
