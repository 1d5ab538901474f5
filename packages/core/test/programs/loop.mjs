// Userthreads and the event loop: who runs when, and what follows a thread across its waits. See
// loop.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs';
import { connect, createServer } from 'node:net';
import { create, curthread, Msg, MsgPort, run, sleep, wait, yieldNow } from '@libcr/core';
import { main, scale } from './check.mjs';

/** Threads that do nothing but yield, until stop() is called. */
function spinners(n, options) {
  let stopped = false;
  let yields = 0;
  const tds = Array.from({ length: n }, () =>
    create(() => {
      while (!stopped) {
        yieldNow();
        yields++;
      }
    }, options),
  );
  return {
    async stop() {
      stopped = true;
      await Promise.all(tds.map((td) => td.finished));
      return yields;
    },
  };
}

const timers = (n) =>
  new Promise((resolve) => {
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks < n) return;
      clearInterval(timer);
      resolve(ticks);
    }, 1);
  });

/** One round trip over TCP. */
async function roundTrip() {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect(server.address().port, '127.0.0.1');
  socket.end('there and back');
  let text = '';
  for await (const data of socket) text += data;
  server.close();
  return text;
}

main({
  async starvation() {
    const spin = spinners(3);
    const ticks = await timers(10);
    const size = await new Promise((resolve) =>
      readFile(new URL(import.meta.url), (_, data) => resolve(data.length)),
    );
    const text = await roundTrip();
    const immediate = await new Promise((resolve) => setImmediate(resolve, 'immediate'));
    const yields = await spin.stop();
    return { ticks, read: size > 0, text, immediate, yields: yields > 0 };
  },

  async priorityStarvation() {
    // a thread of a higher priority that only yields keeps the lower ones waiting, but not the event loop
    let low = 0;
    const spin = spinners(1, { priority: 20 });
    const td = create(() => low++, { priority: 5 });
    const ticks = await timers(5);
    const text = await roundTrip();
    const before = low;
    await spin.stop();
    await td.finished;
    return { ticks, text, before, after: low };
  },

  async order() {
    const log = [];
    await run(() => {
      process.nextTick(() => log.push('tick'));
      Promise.resolve().then(() => log.push('microtask'));
      queueMicrotask(() => {
        log.push('microtask 2');
        process.nextTick(() => log.push('tick 2'));
      });
      log.push('thread');
      yieldNow(); // nobody else: it goes on at once
      log.push('after yieldNow');
      sleep(0);
      log.push('after sleep');
    });
    return log;
  },

  async microtasksFirst() {
    // what was queued before a wait() for something settled has run when the wait is over, in order
    const log = [];
    await run(() => {
      for (let i = 0; i < 3; i++) Promise.resolve().then(() => log.push(i));
      wait(Promise.resolve());
      log.push('waited');
    });
    return log;
  },

  async asyncFunctions() {
    // an async function called by a thread runs on the thread up to its first await, and on thread0 after
    const ids = [];
    const value = await run(() => {
      const promise = (async () => {
        sleep(1);
        ids.push(curthread().id > 0);
        await null;
        ids.push(curthread().id > 0);
        return 'value';
      })();
      return wait(promise);
    });
    return { value, ids };
  },

  async immediatesBetween() {
    // threads that keep each other runnable let immediates through
    const spin = spinners(2);
    let count = 0;
    await new Promise((resolve) => {
      const again = () => (++count < 50 ? setImmediate(again) : resolve());
      setImmediate(again);
    });
    await spin.stop();
    return count;
  },

  async storePerThread() {
    const store = new AsyncLocalStorage();
    const n = scale(50, 10);
    const tds = Array.from({ length: n }, (_, i) =>
      create(() =>
        store.run({ i }, () => {
          const seen = new Set();
          for (let k = 0; k < 10; k++) {
            if (k % 3 === 0) sleep(i % 2);
            else if (k % 3 === 1) yieldNow();
            else wait(new Promise((resolve) => setImmediate(resolve)));
            seen.add(store.getStore().i);
          }
          return [...seen];
        }),
      ),
    );
    const seen = await Promise.all(tds.map((td) => td.finished));
    return {
      each: seen.every((ids, i) => ids.length === 1 && ids[0] === i),
      outside: store.getStore() ?? 'none',
    };
  },

  async storeInPort() {
    // a message carries no store: the server has its own, the sender keeps its own
    const store = new AsyncLocalStorage();
    const port = new MsgPort('p');
    const server = store.run('server', () =>
      create(() => {
        for (const msg of port) msg.replymsg(undefined, store.getStore());
      }),
    );
    const got = await store.run('client', () => run(() => [port.domsg(new Msg(1)), store.getStore()]));
    port.close();
    await server.finished;
    return got;
  },

  async signals() {
    const timeout = await run(() => {
      try {
        sleep(1e8, { signal: AbortSignal.timeout(5) });
      } catch (error) {
        return [error.name, error.cause.name];
      }
    });
    const controller = new AbortController();
    const any = AbortSignal.any([controller.signal, new AbortController().signal]);
    const tds = Array.from({ length: 50 }, () =>
      create(() => {
        try {
          wait(new Promise(() => {}), { signal: any });
        } catch (error) {
          return error.cause;
        }
      }),
    );
    setTimeout(() => controller.abort('all of them'), 5);
    const timer = setTimeout(() => {}, 1e6);
    const causes = await Promise.all(tds.map((td) => td.finished));
    clearTimeout(timer);
    return { timeout, all: causes.every((cause) => cause === 'all of them') };
  },

  async noWarnings() {
    // nothing that many threads do adds listeners without end
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.message));
    const controller = new AbortController();
    const emitter = new EventEmitter();
    const tds = Array.from({ length: 100 }, (_, i) =>
      create(
        () => {
          sleep(1, { signal: controller.signal });
          wait(Promise.resolve(), { signal: controller.signal, timeout: 1e6 });
          if (i < 5) wait(once(emitter, 'go'));
          return curthread().port.length;
        },
        { signal: controller.signal },
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    while (emitter.listenerCount('go') > 0 || tds.some((td) => td.state !== 'finished')) {
      emitter.emit('go');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(tds.map((td) => td.finished));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { warnings, listeners: process.listenerCount('beforeExit') };
  },

  async streams() {
    // an async iterator drawn in blocking style
    const { Readable } = await import('node:stream');
    return run(() => {
      const iterator = Readable.from(['a', 'b', 'c'])[Symbol.asyncIterator]();
      let text = '';
      for (let r = wait(iterator.next()); !r.done; r = wait(iterator.next())) text += r.value;
      return text;
    });
  },

  async longPass() {
    // a thread that computes for long delays all, as any JavaScript does; it loses no wake-up
    const order = [];
    const sleeper = create(() => {
      sleep(1);
      order.push('sleeper');
    });
    const busy = create(() => {
      sleep(0);
      for (let n = 0; n < 3e7; n++);
      order.push('busy');
    });
    await Promise.all([sleeper.finished, busy.finished]);
    return order.sort();
  },
});
