// What the standard says of semaphores without a name, and of barriers and spin locks. See conformance.test.ts.
import { create, sleep } from '@libcr/core';
import {
  BARRIER_SERIAL_THREAD,
  Barrier,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  clockNow,
  pthread,
  SEM_VALUE_MAX,
  Semaphore,
  Spin,
} from '@libcr/posix-compat';
import { assert, both, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

await conform({
  ...both('semaphore: wait takes one, and blocks the userthread while there is none', (options) => {
    const semaphore = new Semaphore(2, options);
    semaphore.wait();
    semaphore.wait();
    assert.equal(semaphore.value, 0);
    const td = started(() => semaphore.wait());
    assert.equal(td.state, 'blocked');
    assert.equal(semaphore.value, 0);
    semaphore.post();
    td.join();
    assert.equal(semaphore.value, 0);
    semaphore.post();
    assert.equal(semaphore.value, 1);
  }),

  'semaphore: those that wait get it in the order in which they came': () => {
    const semaphore = new Semaphore();
    const log = [];
    const tds = [1, 2, 3].map((n) =>
      started(() => {
        semaphore.wait();
        log.push(n);
      }),
    );
    for (const _ of tds) semaphore.post();
    assert.equal(semaphore.tryWait(), false, 'nobody overtakes those that waited');
    for (const td of tds) td.join();
    assert.deepEqual(log, [1, 2, 3]);
  },

  'semaphore: trywait answers at once': () => {
    const semaphore = new Semaphore(1);
    assert.equal(semaphore.tryWait(), true);
    assert.equal(semaphore.tryWait(), false);
  },

  'semaphore: EOVERFLOW beyond SEM_VALUE_MAX': () => {
    const semaphore = new Semaphore(SEM_VALUE_MAX);
    fails('EOVERFLOW', 'sem_post', () => semaphore.post());
    assert.equal(semaphore.value, SEM_VALUE_MAX);
    throwsCode('ERR_OUT_OF_RANGE', () => new Semaphore(SEM_VALUE_MAX + 1));
    throwsCode('ERR_OUT_OF_RANGE', () => new Semaphore(-1));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Semaphore('1'));
  },

  ...both('semaphore: timedwait: ETIMEDOUT when the deadline passes, not before', (options) => {
    const semaphore = new Semaphore(0, options);
    const deadline = clockNow(CLOCK_REALTIME) + 20;
    fails('ETIMEDOUT', 'sem_timedwait', () => semaphore.timedWait(deadline));
    assert.ok(clockNow(CLOCK_REALTIME) >= deadline);
    const monotonic = clockNow(CLOCK_MONOTONIC) + 20;
    fails('ETIMEDOUT', 'sem_clockwait', () => semaphore.clockWait(CLOCK_MONOTONIC, monotonic));
    assert.ok(clockNow(CLOCK_MONOTONIC) >= monotonic);
    semaphore.post();
    semaphore.timedWait(0); // there is one: it does not look at the time
  }),

  ...both('semaphore: wait is a cancellation point, and what is posted then is not lost', (options) => {
    const semaphore = new Semaphore(0, options);
    const td = pthread.create(() => semaphore.wait());
    settle();
    pthread.cancel(td);
    assert.equal(pthread.join(td), pthread.CANCELED);
    semaphore.post();
    assert.equal(semaphore.value, 1);
  }),

  'semaphore: a cancellation that is pending acts in wait even if there is one to take': () => {
    const semaphore = new Semaphore(1);
    const td = pthread.create(() => semaphore.wait());
    pthread.cancel(td);
    assert.equal(pthread.join(td), pthread.CANCELED);
    assert.equal(semaphore.value, 1);
  },

  'semaphore: anybody may post, thread0 too; it takes where there is one': () => {
    const semaphore = new Semaphore();
    const td = started(() => semaphore.wait());
    onThread0(() => {
      semaphore.post();
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => semaphore.wait());
      semaphore.post();
      semaphore.wait();
    });
    td.join();
  },

  ...both('barrier: nobody passes before all are there, and one is told that it is the one', (options) => {
    const barrier = new Barrier(3, options);
    const results = [];
    const tds = [1, 2].map(() => started(() => results.push(barrier.wait())));
    assert.deepEqual(results, []);
    assert.equal(String(barrier), 'Barrier 2 of 3');
    results.push(barrier.wait());
    for (const td of tds) td.join();
    assert.deepEqual(results.toSorted(), [BARRIER_SERIAL_THREAD, 0, 0]);
  }),

  ...both('barrier: it can be used again at once', (options) => {
    const barrier = new Barrier(4, options);
    const rounds = new Array(50).fill(0);
    let serials = 0;
    const tds = [0, 1, 2, 3].map((me) =>
      create(() => {
        for (let i = 0; i < rounds.length; i++) {
          if ((me + i) % 3 === 0) sleep(0);
          rounds[i]++;
          if (barrier.wait() === BARRIER_SERIAL_THREAD) serials++;
          assert.equal(rounds[i], 4);
        }
      }),
    );
    for (const td of tds) td.join();
    assert.equal(serials, rounds.length);
  }),

  'barrier: of one thread it never waits, thread0 neither': () => {
    const barrier = new Barrier(1);
    assert.equal(barrier.wait(), BARRIER_SERIAL_THREAD);
    onThread0(() => assert.equal(barrier.wait(), BARRIER_SERIAL_THREAD));
    onThread0(() => throwsCode('ERR_LWKT_WOULD_BLOCK', () => new Barrier(2).wait()));
    throwsCode('ERR_OUT_OF_RANGE', () => new Barrier(0));
    throwsCode('ERR_OUT_OF_RANGE', () => new Barrier(2 ** 20));
  },

  'barrier: it is no cancellation point': () => {
    const barrier = new Barrier(2);
    const td = pthread.create(() => {
      barrier.wait();
      pthread.testCancel();
    });
    settle();
    pthread.cancel(td);
    settle();
    assert.equal(td.state, 'blocked');
    barrier.wait();
    assert.equal(pthread.join(td), pthread.CANCELED);
  },

  'barrier: one that is aborted has not been there': () => {
    const barrier = new Barrier(2);
    const td = started(() => throwsCode('ABORT_ERR', () => barrier.wait()));
    td.abort();
    td.join();
    const next = started(() => barrier.wait());
    assert.equal(next.state, 'blocked');
    barrier.wait();
    next.join();
  },

  ...both('spin: who finds it locked waits until it is unlocked', (options) => {
    const spin = new Spin(options);
    const log = [];
    spin.lock();
    const td = started(() => {
      const guard = spin.lock();
      log.push('locked');
      guard.release();
    });
    settle();
    assert.deepEqual(log, []);
    spin.unlock();
    td.join();
    assert.deepEqual(log, ['locked']);
  }),

  'spin: a waiter of a higher priority does not keep its owner from running': () => {
    const spin = new Spin();
    const owner = create(
      () => {
        spin.lock();
        sleep(1);
        spin.unlock();
      },
      { priority: 2 },
    );
    sleep(0);
    const td = create(() => void spin.lock(), { priority: 20 });
    td.join();
    owner.join();
  },

  'spin: trylock, EDEADLK, EPERM': () => {
    const spin = new Spin();
    assert.ok(spin.tryLock());
    assert.equal(spin.tryLock(), undefined);
    fails('EDEADLK', 'pthread_mutex_lock', () => spin.lock());
    create(() => fails('EPERM', 'pthread_mutex_unlock', () => spin.unlock())).join();
    spin.unlock();
    assert.equal(String(spin), 'Spin free');
  },
});
