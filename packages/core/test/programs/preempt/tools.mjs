// Preempted threads, and what looks at threads or keeps them apart: profiler, debugger, traces, snapshots, serializers, the report of deadlocks. See
// preempt-tools.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { create, preemptible, run, Serializer, sleep, snapshot, startTraceEvents, wait } from '@libcr/core';
import { main, scale } from '../check.mjs';
import { bePreempted, computeUntil } from './compute.mjs';

const short = { preemptible: true, slice: 1 };

/** Several threads that compute until they are told to stop, when each has been preempted. */
async function computing() {
  let stop = false;
  const tds = ['one', 'two'].map((name) => create(() => computeUntil(() => stop) >= 0, { ...short, name }));
  while (!tds.every((td) => td.preemptions > 0)) await delay(1);
  return async () => {
    stop = true;
    return Promise.all(tds.map((td) => td.finished));
  };
}

/** The clock's kernel threads: how often each has gone to sleep. */
function clocks() {
  return readdirSync('/proc/self/task')
    .map((task) => readFileSync(`/proc/self/task/${task}/status`, 'utf8'))
    .filter((status) => /^Name:\thardclock$/m.test(status))
    .map((status) => Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)[1]));
}

if (!isMainThread) {
  // The debugger of the case of that name: goes on at each stop, and counts.
  let stops = 0;
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.paused', () => {
    stops++;
    session.post('Debugger.resume').catch(() => {}); // the answer may come too late
  });
  session.post('Debugger.enable').then(() => parentPort.postMessage('ready'));
  parentPort.on('message', () => {
    session.disconnect();
    parentPort.postMessage(stops);
    parentPort.close();
  });
} else
  await main({
    async traceEvents() {
      const trace = startTraceEvents();
      const end = await computing();
      await end();
      const { traceEvents } = await trace.stop();
      const counts = {};
      for (const { name, ph, tid, args } of traceEvents)
        if (name === 'preempted' && ph === 'i') counts[tid] = [...(counts[tid] ?? []), args.count];
      // each counts its own from 1 on
      return Object.values(counts).map((list) => list.every((count, i) => count === i + 1));
    },

    async snapshot() {
      const end = await computing();
      const { rforks } = await snapshot();
      await end();
      return rforks[0].threads
        .filter(({ id }) => id > 0)
        .map(({ name, state, waitReason, preemptions }) => [name, state, waitReason, preemptions > 0]);
    },

    async cpuProfiler() {
      const session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 100 });
      const end = await computing();
      await session.post('Profiler.start');
      for (let i = 0; i < scale(20, 3); i++) await delay(1);
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return [profile.nodes.length > 0, await end()];
    },

    async debugger() {
      const worker = new Worker(new URL(import.meta.url));
      const message = () =>
        new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await message();
      const tds = [1, 2, 3].map((i) =>
        create(() => {
          for (let n = 0; n < 2; n++) {
            bePreempted();
            // biome-ignore lint/suspicious/noDebugger: it is what this is about
            debugger;
            bePreempted();
          }
          return i;
        }, short),
      );
      const ticks = setInterval(() => {}, 1);
      const values = await Promise.all(tds.map((td) => td.finished));
      clearInterval(ticks);
      worker.postMessage('end');
      return { values, stops: await message() };
    },

    /** Preempted holders keep it: nobody else comes in between; at a wait neither. */
    async serializers() {
      const serializer = new Serializer('one at a time');
      const ticks = setInterval(() => {}, 1);
      let inside = 0;
      let most = 0;
      const tds = [1, 2, 3].map(() =>
        create(() => {
          for (let n = 0; n < 3; n++) {
            const hold = serializer.enter();
            most = Math.max(most, ++inside);
            bePreempted();
            sleep(1);
            bePreempted();
            inside--;
            hold.release();
          }
        }, short),
      );
      await Promise.all(tds.map((td) => td.finished));
      clearInterval(ticks);
      return most;
    },

    /** Those that can never go on are told when those that compute have ended, with the function where they wait. */
    async deadlock() {
      const ticks = setInterval(() => {}, 1);
      create(
        function stuck() {
          bePreempted();
          clearInterval(ticks);
          wait(new Promise(() => {}));
        },
        { ...short, name: 'stuck one' },
      );
      create(() => bePreempted(2), { ...short, name: 'goes through' });
      return 'both begun';
    },

    /** There is no clock before the first region; it sleeps while nobody is in one, also where others compute. */
    async clock() {
      const busy = () => {
        for (const end = performance.now() + 100; performance.now() < end; );
      };
      await run(busy);
      const before = clocks().length;
      await run(() => preemptible(() => computeUntil(() => clocks()[0] > 0)));
      // it goes to sleep for good, by and by: on a busy machine its last look may come late
      let slept = false;
      for (let tries = 0; tries < 50 && !slept; tries++) {
        const [asleep] = clocks();
        await run(busy);
        await delay(100);
        slept = clocks()[0] === asleep;
      }
      const regions = await run(() => {
        preemptible(() => {});
        return clocks().length;
      });
      return { before, slept, clocks: regions };
    },
  });
