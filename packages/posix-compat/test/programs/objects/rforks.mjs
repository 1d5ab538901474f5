// Objects in shared memory, used by threads of several rforks, and by plain Workers. See rforks.test.ts.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { create, Msg, Rfork, sleep } from '@libcr/core';
import { Barrier, Cond, Mutex, RWLock, Semaphore, Spin } from '@libcr/posix-compat';
import { assert, conform, fails, settle, started, throwsCode } from './cases.mjs';
import { commands } from './rforks-child.mjs';

const child = new URL('./rforks-child.mjs', import.meta.url);
const scale = process.env.LIBCR_STRESSED ? 20 : 1;

function withRforks(n, body) {
  const rforks = Array.from({ length: n }, (_, i) => new Rfork(child, { name: `r${i}` }));
  try {
    body(...rforks);
  } finally {
    for (const rfork of rforks) rfork.port.close();
    for (const rfork of rforks) {
      try {
        rfork.join();
      } catch {
        // a test has ended it
      }
    }
  }
}

/** Runs the command there, on a thread here that waits for it; undefined: here. */
const ask = (rfork, command, data) =>
  create(() =>
    rfork === undefined ? commands[command](data) : rfork.port.domsg(new Msg({ command, ...data })),
  );
const joinAll = (tds) => tds.map((td) => td.join());
const memory = (words = 1) => new SharedArrayBuffer(words * 4);

/** lock, unlock, take and post as the README has them, for Workers without libcr. */
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const byAtomics = /```js\n(\/\/ a mutex,.*?)```/s.exec(readme)[1];

/** A Worker without libcr; code has `words`, those of the object, and `shared`. */
function plainWorker(place, shared, code) {
  const worker = new Worker(
    `const { workerData: { place: { buffer, offset }, shared } } = require('node:worker_threads');
     const words = new Int32Array(buffer, offset);
     ${byAtomics}
     ${code}`,
    { eval: true, workerData: { place, shared: new Int32Array(shared) } },
  );
  let exited;
  worker.once('exit', (code) => {
    exited = code;
  });
  return () => {
    while (exited === undefined) sleep(1);
    assert.equal(exited, 0);
  };
}

await conform({
  'mutex: two rforks and the main one count, not atomically, and nothing is lost': () =>
    withRforks(2, (a, b) => {
      const [mutex, shared] = [new Mutex({ shared: true }), memory()];
      const n = Math.ceil(1000 / scale);
      const data = { kind: 'Mutex', place: mutex.place, shared, n };
      joinAll(
        [a, b, undefined, a, b, undefined].map((where, seed) => ask(where, 'count', { ...data, seed })),
      );
      assert.equal(new Int32Array(shared)[0], 6 * n);
      assert.equal(String(mutex), 'Mutex free');
    }),

  'spin: the same': () =>
    withRforks(2, (a, b) => {
      const [spin, shared] = [new Spin({ shared: true }), memory()];
      const n = Math.ceil(1000 / scale);
      joinAll(
        [a, b, undefined].map((where) => ask(where, 'count', { kind: 'Spin', place: spin.place, shared, n })),
      );
      assert.equal(new Int32Array(shared)[0], 3 * n);
    }),

  'cond: two rforks take turns, and no signal is lost': () =>
    withRforks(2, (a, b) => {
      const [cond, mutex, shared] = [new Cond({ shared: true }), new Mutex({ shared: true }), memory()];
      const data = { cond: cond.place, mutex: mutex.place, shared, n: Math.ceil(1000 / scale) };
      joinAll([ask(a, 'play', { ...data, me: 0 }), ask(b, 'play', { ...data, me: 1 })]);
      joinAll([ask(undefined, 'play', { ...data, me: 0 }), ask(b, 'play', { ...data, me: 1 })]);
    }),

  'semaphore: what is posted anywhere is taken somewhere': () =>
    withRforks(2, (a, b) => {
      const semaphore = new Semaphore(0, { shared: true });
      const place = semaphore.place;
      const n = Math.ceil(1000 / scale);
      joinAll([
        ...[a, b, undefined, a].map((where) => ask(where, 'take', { place, n })),
        ...[b, undefined, a, b].map((where) => ask(where, 'give', { place, n })),
      ]);
      assert.equal(semaphore.value, 0);
    }),

  'barrier: of each round one is told, wherever it is': () =>
    withRforks(2, (a, b) => {
      const rounds = Math.ceil(200 / scale);
      const barrier = new Barrier(6, { shared: true });
      const data = { place: barrier.place, shared: memory(rounds), rounds, parties: 6 };
      const met = joinAll([a, a, b, b, undefined, undefined].map((where) => ask(where, 'meet', data)));
      assert.deepEqual(
        met.map(({ wrong }) => wrong),
        [0, 0, 0, 0, 0, 0],
      );
      assert.equal(
        met.reduce((sum, { serials }) => sum + serials, 0),
        rounds,
      );
    }),

  'rwlock: readers of all rforks see what writers leave, and nothing between': () =>
    withRforks(2, (a, b) => {
      const lock = new RWLock({ shared: true });
      const data = { place: lock.place, shared: memory(2), n: Math.ceil(400 / scale) };
      const wrong = joinAll(
        [a, b, undefined, a, b, undefined].map((where, seed) => ask(where, 'readOrWrite', { ...data, seed })),
      );
      assert.deepEqual(wrong, [0, 0, 0, 0, 0, 0]);
      assert.equal(String(lock), 'RWLock free');
    }),

  'a plain Worker locks a mutex by Atomics': () => {
    const [mutex, shared] = [new Mutex({ shared: true }), memory()];
    const n = Math.ceil(2000 / scale);
    const ended = plainWorker(
      mutex.place,
      shared,
      `for (let i = 0; i < ${n}; i++) {
         lock(words);
         const before = shared[0];
         for (let spin = i % 300; spin > 0; spin--) Atomics.load(shared, 0);
         shared[0] = before + 1;
         unlock(words);
       }`,
    );
    joinAll(
      [1, 2].map((seed) => ask(undefined, 'count', { kind: 'Mutex', place: mutex.place, shared, n, seed })),
    );
    ended();
    assert.equal(new Int32Array(shared)[0], 3 * n);
    assert.equal(String(mutex), 'Mutex free');
  },

  'a plain Worker waits for a semaphore, and posts, by Atomics': () => {
    const semaphore = new Semaphore(0, { shared: true });
    const n = Math.ceil(500 / scale);
    const answers = new Semaphore(0, { shared: true });
    const ended = plainWorker(
      semaphore.place,
      answers.place.buffer,
      `for (let i = 0; i < ${n}; i++) {
         take(words);
         post(shared);
       }`,
    );
    for (let i = 0; i < n; i++) {
      semaphore.post();
      answers.wait();
    }
    ended();
    assert.deepEqual([semaphore.value, answers.value], [0, 0]);
  },

  'a thread that waits for another rfork keeps its own event loop turning, and alive': () =>
    withRforks(1, (a) => {
      const semaphore = new Semaphore(0, { shared: true });
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      const td = started(() => semaphore.wait());
      while (ticks < 3) sleep(1);
      clearInterval(timer);
      assert.equal(td.state, 'blocked');
      ask(a, 'give', { place: semaphore.place, n: 1 });
      td.join();
    }),

  'who gives up swallows no wake-up that another rfork waits for': () =>
    withRforks(2, (a, b) => {
      const semaphore = new Semaphore(0, { shared: true });
      const { place } = semaphore;
      for (let round = 0; round < 10; round++) {
        assert.equal(ask(a, 'take', { place, timeout: 1 }).join(), 'ETIMEDOUT');
        fails('ETIMEDOUT', 'sem_wait', () => semaphore.wait({ timeout: 1 }));
        const td = ask(b, 'take', { place });
        sleep(2);
        semaphore.post();
        assert.equal(td.join(), 'done');
      }
    }),

  'a post each wakes one after the other of those that wait on another rfork': () =>
    withRforks(1, (a) => {
      for (const atOnce of [true, false]) {
        const semaphore = new Semaphore(0, { shared: true });
        const place = { ...semaphore.place, key: `posts ${atOnce}` };
        const tds = [1, 2, 3].map(() => ask(a, 'take', { place }));
        while (Atomics.load(new Int32Array(place.buffer), 2) < 3) sleep(1);
        for (const _ of tds) {
          semaphore.post();
          if (!atOnce) sleep(5);
        }
        assert.deepEqual(joinAll(tds), ['done', 'done', 'done']);
      }
    }),

  'a mutex goes on to all that wait for it on another rfork': () =>
    withRforks(1, (a) => {
      const mutex = new Mutex({ shared: true });
      const place = { ...mutex.place, key: 'goes on' };
      mutex.lock();
      const tds = [1, 2, 3].map(() => ask(a, 'lockAndUnlock', { place }));
      sleep(30);
      mutex.unlock();
      joinAll(tds);
      assert.equal(String(mutex), 'Mutex free');
    }),

  'so many signals wake so many on another rfork; broadcast wakes all': () =>
    withRforks(1, (a) => {
      for (const wakes of [(cond) => [1, 2, 3].map(() => cond.signal()), (cond) => cond.broadcast()]) {
        const [cond, mutex, shared] = [new Cond({ shared: true }), new Mutex({ shared: true }), memory()];
        const key = String(wakes);
        const data = { cond: { ...cond.place, key }, mutex: { ...mutex.place, key: `mutex ${key}` }, shared };
        const tds = [1, 2, 3].map(() => ask(a, 'waitAt', data));
        while (Atomics.load(new Int32Array(shared), 0) < 3) sleep(1);
        mutex.lock(); // all three wait, as each of them had it
        wakes(cond);
        mutex.unlock();
        joinAll(tds);
      }
    }),

  'all readers of another rfork go on when a writer lets go, or gives up; writers one by one': () =>
    withRforks(1, (a) => {
      const lock = new RWLock({ shared: true });
      const place = { ...lock.place, key: 'readers and writers' };
      const read = (shared) => [1, 2, 3].map(() => ask(a, 'readOnce', { place, shared }));
      const allRead = (shared, tds) => {
        const words = new Int32Array(shared);
        while (Atomics.load(words, 0) < 3) sleep(1); // at once
        Atomics.store(words, 1, 1);
        joinAll(tds);
      };
      lock.writeLock();
      const [first, shared] = [memory(2), memory(2)];
      const tds = read(first);
      sleep(30);
      lock.unlock();
      allRead(first, tds);

      lock.readLock();
      const late = new AbortController();
      const writer = started(() => throwsCode('ABORT_ERR', () => lock.writeLock({ signal: late.signal })));
      const others = read(shared);
      sleep(30);
      late.abort();
      allRead(shared, others);
      writer.join();
      const writers = [1, 2, 3].map(() => ask(a, 'writeOnce', { place }));
      sleep(30);
      lock.unlock();
      joinAll(writers);
      assert.equal(String(lock), 'RWLock free');
    }),

  'robust: an rfork that ends with it: EOWNERDEAD for who waits, and for who comes later': () => {
    for (const waits of [true, false])
      withRforks(2, (a, b) => {
        const [mutex, shared] = [new Mutex({ shared: true, robust: true }), memory()];
        const { place } = mutex;
        const holding = ask(a, 'hold', { place, shared });
        while (Atomics.load(new Int32Array(shared), 0) === 0) sleep(1);
        const waiter = waits && started(() => fails('EOWNERDEAD', 'pthread_mutex_lock', () => mutex.lock()));
        let gone = false;
        a.terminate().then(() => {
          gone = true;
        });
        throwsCode('ERR_LWKT_RFORK_ENDED', () => holding.join());
        while (!gone) sleep(1);
        if (waits) waiter.join(); // ends with it
        assert.equal(ask(b, 'lock', { place }).join(), 'EOWNERDEAD');
      });
  },

  'an rfork that ends while its threads wait disturbs nobody': () =>
    withRforks(2, (a, b) => {
      const [semaphore, mutex] = [new Semaphore(0, { shared: true }), new Mutex({ shared: true })];
      mutex.lock();
      const tds = [ask(a, 'take', { place: semaphore.place }), ask(a, 'lock', { place: mutex.place })];
      sleep(20);
      a.terminate();
      for (const td of tds) throwsCode('ERR_LWKT_RFORK_ENDED', () => td.join());
      const [other, locks] = [
        ask(b, 'take', { place: semaphore.place }),
        ask(b, 'lock', { place: mutex.place }),
      ];
      sleep(2);
      semaphore.post();
      mutex.unlock();
      assert.deepEqual([other.join(), locks.join()], ['done', 'done']);
    }),

  'several objects share a buffer; where one is there is no other': () => {
    const shared = new SharedArrayBuffer(64);
    const mutex = new Mutex({ shared, type: 'recursive', robust: true });
    const cond = new Cond({ shared, offset: Mutex.BYTES, clock: 1 });
    assert.deepEqual(cond.place, { buffer: shared, offset: Mutex.BYTES });
    const again = Mutex.at(mutex.place);
    assert.deepEqual([again.type, again.robust, Cond.at(cond.place).clock], ['recursive', true, 1]);
    fails('EBUSY', 'pthread_mutex_init', () => new Mutex({ shared }));
    fails('EINVAL', 'pthread_mutex_init', () => Mutex.at(cond.place));
    fails('EINVAL', 'sem_init', () => Semaphore.at({ buffer: memory(8), offset: 0 }));
    throwsCode('ERR_OUT_OF_RANGE', () => Mutex.at({ buffer: shared, offset: 48 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => Mutex.at(undefined));
    throwsCode('ERR_OUT_OF_RANGE', () => new Mutex({ shared: true, offset: -100 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Mutex({ shared: true, offset: 'x' }));
    fails('EINVAL', 'place', () => new Mutex().place);
  },

  'the objects themselves do not travel: a clear error, and no empty object there': () =>
    withRforks(1, (a) => {
      assert.throws(() => a.port.domsg(new Msg({ mutex: new Mutex({ shared: true }) })), {
        name: 'DataCloneError',
      });
    }),

  'who waits here and there: those of one rfork do not keep it from the other': () =>
    withRforks(1, (a) => {
      const mutex = new Mutex({ shared: true });
      const done = ask(a, 'lock', { place: mutex.place });
      let over = false;
      const greedy = [1, 2].map(() =>
        create(() => {
          while (!over) {
            mutex.lock();
            sleep(0);
            mutex.unlock();
          }
        }),
      );
      assert.equal(done.join(), 'done');
      over = true;
      settle();
      for (const td of greedy) td.abort(); // it is the other's for good
      for (const td of greedy) throwsCode('ABORT_ERR', () => td.join());
    }),
});
