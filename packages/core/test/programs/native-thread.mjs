// Native userthreads: C functions of an addon, which native-thread.test.ts has built, beside JavaScript's. See native-thread.c.
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  create,
  createNative,
  group,
  run,
  sleep,
  startTraceEvents,
  stats,
  userthreads,
  wait,
  yieldNow,
} from '@libcr/core';
import { main, processorsUsed, rejectionOf, scale, shown, thrownBy } from './check.mjs';

const library = process.env.NATIVE_THREADS;
const start = (symbol, options) => createNative({ library, symbol }, options);
const join = (symbol, options) => start(symbol, options).join();
const say = (text) => process.stdout.write(`${text}\n`);
const outcomeOf = (td) => rejectionOf(td.finished.then(String));
const ended = async (td) => ({
  ...(await outcomeOf(td)),
  cause: await td.finished.catch((error) => error.cause),
});

const failure = (error) => ({ ...shown(error), errno: error.errno, syscall: error.syscall });

await main({
  async inGroup() {
    const natively = (g, symbol, options) => g.createNative({ library, symbol }, options);
    const values = await group(
      (g) => {
        for (let i = 0n; i < 3n; i++) natively(g, 'add_one', { arg: i });
        const gone = natively(g, 'add_one', { arg: 3n });
        gone.abort(); // before its turn: it never begins
        return [gone, g.create(() => 'JavaScript'), natively(g, 'add_one', { arg: 4n })];
      },
      { limit: 1 },
    );
    const failure = await group((g) => {
      natively(g, 'sleep_ns', { arg: 10n ** 15n });
      natively(g, 'answers', { arg: 5n });
    }).catch((error) => error.code);
    return {
      values: values.map((value) => (value === undefined ? 'aborted' : String(value))),
      failure,
      left: userthreads().length,
    };
  },

  async results() {
    const values = await run(() =>
      [41n, -2n, 2n ** 62n, -(2n ** 63n), 2n ** 64n - 1n].map((arg) => String(join('add_one', { arg }))),
    );
    return {
      values,
      onLoop: String(await start('add_one').finished),
      path: String(await createNative({ library: new URL(`file://${library}`), symbol: 'add_one' }).finished),
    };
  },

  async errors() {
    const of = async (arg) => {
      try {
        return String(await start('answers', { arg: BigInt(arg) }).finished);
      } catch (error) {
        return failure(error);
      }
    };
    return { none: await of(0), io: await of(5), unknown: await of(4000) };
  },

  async buffers() {
    const bytes = new Uint8Array(10);
    const small = new Uint8Array(4); // V8 has its bytes on its own heap at first
    const shared = new SharedArrayBuffer(3);
    const view = new DataView(bytes.buffer, 2, 3);
    const empty = await start('count_bytes', { arg: new Uint8Array(0) }).finished;
    await run(() => {
      for (const arg of [view, small, shared]) join('count_bytes', { arg });
    });
    return {
      bytes: [...bytes],
      small: [...small],
      shared: [...new Uint8Array(shared)],
      empty: String(empty),
    };
  },

  /** The function goes on writing into memory whose buffer has gone elsewhere and been collected. */
  async transferred() {
    const arg = new ArrayBuffer(1000);
    const td = start('count_bytes', { arg });
    await run(() => yieldNow());
    structuredClone(arg, { transfer: [arg] });
    globalThis.gc?.();
    return [arg.byteLength, String(await td.finished)];
  },

  async arguments() {
    const at = (symbol, options) => thrownBy(() => createNative(symbol, options));
    const ok = { library, symbol: 'add_one' };
    return {
      nothing: at(),
      noLibrary: at({ symbol: 'add_one' }),
      noSymbol: at({ library }),
      emptySymbol: at({ library, symbol: '' }),
      nulSymbol: at({ library, symbol: 'add_one\0' }),
      name: at(ok, { name: 1 }),
      priority: at(ok, { priority: 32 }),
      stackSmall: at(ok, { stackSize: 65_535 }),
      argNumber: at(ok, { arg: 1 }),
      argObject: at(ok, { arg: {} }),
      argBig: at(ok, { arg: 2n ** 64n }),
      argResizable: at(ok, { arg: new ArrayBuffer(1, { maxByteLength: 2 }) }),
      missing: at({ library: '/nowhere/at-all.so', symbol: 'add_one' }),
      noFunction: at({ library, symbol: 'subtract_one' }),
      otherVersion: at({ library: process.env.OTHER_VERSION, symbol: 'add_one' }),
      outsideTable: at({ library: process.env.OUTSIDE_TABLE, symbol: 'add_one' }),
    };
  },

  /** It takes its turns with JavaScript's threads, by priority. */
  async priorities() {
    const log = new Uint8Array(32);
    const inJs = (priority) =>
      create(
        () => {
          for (let i = 0; i < 3; i++) {
            log[++log[0]] = 100 + priority;
            yieldNow();
          }
        },
        { priority },
      );
    const tds = [
      inJs(10),
      start('log_priority', { priority: 10, arg: log }),
      start('log_priority', { priority: 11, arg: log }),
      inJs(11),
    ];
    await Promise.all(tds.map((td) => td.finished));
    return [...log.subarray(1, log[0] + 1)];
  },

  async handle() {
    const td = start('block_without_end', { name: 'n', daemon: true });
    const before = [td.state, td.waitReason ?? null];
    await run(() => yieldNow());
    td.priority = 20;
    return {
      before,
      after: [td.state, td.waitReason, td.priority, td.id, td.name],
      text: [String(td), inspect(td)],
      listed: userthreads().includes(td),
      stack: td.stack ?? null,
      port: thrownBy(() => td.port),
      alive: stats().alive,
      unnamed: start('add_one').name,
    };
  },

  async ownThreads() {
    return String(await start('sum_of_squares', { arg: 100n }).finished);
  },

  /** An addon's function wakes it on thread0, when the loop has nothing else to do. */
  async signalled() {
    const td = start('wait_for_signal');
    await run(() => yieldNow());
    setTimeout(createRequire(import.meta.url)(library), 20);
    return String(await td.finished);
  },

  /** Sleeps of C keep the loop alive, and it sleeps meanwhile. */
  async sleeps() {
    const order = [];
    const tds = [40, 10, 25].map((ms) =>
      start('sleep_ns', { arg: BigInt(ms) * 1_000_000n }).finished.then(() => order.push(ms)),
    );
    await Promise.all(tds);
    const begin = process.hrtime.bigint();
    const processors = await processorsUsed(() => start('sleep_ns', { arg: 1_000_000_000n }).finished);
    const slept = process.hrtime.bigint() - begin >= 1_000_000_000n;
    return { order, slept, processors };
  },

  async errnos() {
    const tds = [1n, 2n, 3n].map((arg) => start('keep_errno', { arg }));
    const js = create(() => {
      for (let i = 0; i < 100; i++) yieldNow();
    });
    await Promise.all([...tds, js].map((td) => td.finished));
    return 'kept';
  },

  async exits() {
    return String(await start('try_exit').finished);
  },

  async aborts() {
    const sleeper = start('sleep_ns', { arg: 10n ** 15n });
    const waiter = start('wait_for_signal');
    const early = start('add_one');
    early.abort('early');
    await run(() => yieldNow());
    sleeper.abort('sleeper');
    waiter.abort('waiter');
    const controller = new AbortController();
    const bySignal = start('sleep_ns', { arg: 10n ** 15n, signal: controller.signal });
    setTimeout(() => controller.abort('signal'), 5);
    const own = await run(() => thrownBy(() => join('answers', { arg: 4n }))); // EINTR, and nobody asked for it
    return {
      early: await ended(early),
      sleeper: await ended(sleeper),
      waiter: await ended(waiter),
      bySignal: await ended(bySignal),
      own,
    };
  },

  /** Whoever joins may give up. */
  async joins() {
    const td = start('wait_for_signal');
    const signal = createRequire(import.meta.url)(library);
    return run(() => [
      thrownBy(() => td.join({ timeout: 1 })).code,
      signal() ?? String(td.join()),
      String(td.join()),
    ]);
  },

  async many() {
    const n = scale(3000, 200);
    const native = Array.from({ length: n }, (_, i) =>
      start('sleep_ns', { arg: BigInt((i % 7) * 1000), stackSize: 65_536 }),
    );
    const js = Array.from({ length: n }, (_, i) =>
      create(() => [2, 1].sort((a, b) => sleep(i % 5) ?? a - b)[0]),
    );
    const values = await Promise.all([...native, ...js].map((td) => td.finished));
    return { right: values.filter((value) => value === 0n || value === 1).length / n, alive: stats().alive };
  },

  async garbage() {
    const arg = new Uint8Array(200);
    const td = start('count_bytes', { arg });
    const js = create(() => {
      let kept = [];
      while (td.state !== 'finished') {
        kept = Array.from({ length: 1000 }, (_, i) => ({ i }));
        globalThis.gc?.();
        yieldNow();
      }
      return kept.every(({ i }, at) => i === at);
    });
    return [await js.finished, String(await td.finished)];
  },

  /** In the record threads of C's are counted, too; in JavaScript they are not. */
  async traced() {
    const trace = startTraceEvents();
    await start('sum_of_squares', { arg: 3n }).finished;
    await start('sleep_ns', { arg: 1_000_000n, name: 'sleeper' }).finished;
    const late = create(() => sleep(60_000), { name: 'late' });
    while (late.state !== 'blocked') await new Promise(setImmediate);
    const { traceEvents } = await trace.stop();
    late.abort();
    const names = new Map();
    for (const { name, tid, args } of traceEvents) if (name === 'thread_name') names.set(tid, args.name);
    const waits = traceEvents.filter(({ cat, name }) => cat === 'wait' && name !== 'userthreads run');
    return [...new Set(waits.map(({ tid, name }) => `${names.get(tid)}: ${name}`))];
  },

  unhandled() {
    start('answers', { arg: 5n, name: 'culprit' });
  },

  deadlock() {
    start('block_without_end', { name: 'estragon' });
  },

  exitWithThreads() {
    start('refuse_to_end');
    start('clean_up');
    create(() => {
      sleep(5);
      process.exit(4);
    });
  },

  async overrun() {
    say(`fits ${await start('use_stack', { arg: 40_000n, stackSize: 65_536 }).finished}`);
    await start('use_stack', { arg: 10_000_000n, name: 'grünspan' }).finished;
  },

  async terminate() {
    const worker = new Worker(
      `const { createNative, create, wait } = require('@libcr/core');
       const start = (symbol) => createNative({ library: process.env.NATIVE_THREADS, symbol }, { daemon: true });
       const all = Array.from({ length: 40 }, () => start('clean_up'));
       if (process.argv[2]) all.push(start(process.argv[2]));
       create(() => wait(new Promise(() => {})));
       setInterval(() => {
         if (all.every((td) => td.state === 'blocked')) require('node:worker_threads').parentPort.postMessage('ready');
       }, 1);`,
      { eval: true, argv: process.argv.slice(3), stdout: false },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    say(`terminated ${await worker.terminate()}`);
    say(`goes on ${await run(() => wait(start('add_one').finished))}`);
  },

  async workers() {
    const source = `const { createNative } = require('@libcr/core');
      createNative({ library: process.env.NATIVE_THREADS, symbol: 'sum_of_squares' }, { arg: 50n }).finished
        .then((value) => require('node:worker_threads').parentPort.postMessage(String(value)));`;
    const values = Array.from({ length: 3 }, () => {
      const worker = new Worker(source, { eval: true });
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    });
    return [...(await Promise.all(values)), String(await start('sum_of_squares', { arg: 50n }).finished)];
  },
});
