// What the standard says of condition variables. See conformance.test.ts.
import { create, sleep } from '@libcr/core';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, Cond, clockNow, Mutex, pthread } from '@libcr/posix-compat';
import { assert, both, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

/** A thread that waits with the mutex, and then calls then. */
const waiter = (cond, mutex, then = () => {}) =>
  started(() => {
    mutex.lock();
    cond.wait(mutex);
    then();
    mutex.unlock();
  });

await conform({
  ...both('wait lets go of the mutex, and has it again when it returns', (options) => {
    const [cond, mutex] = [new Cond(options), new Mutex(options)];
    let seen;
    const td = waiter(cond, mutex, () => {
      seen = mutex.tryLock() === undefined;
    });
    mutex.lock(); // the waiter does not have it
    cond.signal();
    settle();
    assert.equal(td.state, 'blocked', 'it returns when it has the mutex, not before');
    mutex.unlock();
    td.join();
    assert.equal(seen, true);
  }),

  'EPERM where the thread does not have the mutex': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    fails('EPERM', 'pthread_cond_wait', () => cond.wait(mutex));
    const owner = started(() => {
      mutex.lock();
      sleep(5);
      mutex.unlock();
    });
    fails('EPERM', 'pthread_cond_timedwait', () => cond.timedWait(mutex, Date.now() + 1000));
    owner.join();
  },

  'signal wakes one of those that wait': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const log = [];
    const tds = [1, 2, 3].map((n) => waiter(cond, mutex, () => log.push(n)));
    cond.signal();
    settle();
    assert.deepEqual(log, [1]);
    cond.signal();
    cond.signal();
    for (const td of tds) td.join();
    assert.deepEqual(log, [1, 2, 3]);
  },

  ...both('signal and broadcast without a waiter do nothing, and are not kept', (options) => {
    const [cond, mutex] = [new Cond(options), new Mutex(options)];
    cond.signal();
    cond.broadcast();
    mutex.lock();
    fails('ETIMEDOUT', 'pthread_cond_timedwait', () => cond.timedWait(mutex, Date.now() + 5));
    mutex.unlock();
  }),

  ...both('broadcast wakes all, and one after the other has the mutex', (options) => {
    const [cond, mutex] = [new Cond(options), new Mutex(options)];
    let inside = 0;
    let done = 0;
    const tds = Array.from({ length: 20 }, () =>
      waiter(cond, mutex, () => {
        assert.equal(inside++, 0);
        sleep(0);
        inside--;
        done++;
      }),
    );
    cond.broadcast();
    for (const td of tds) td.join();
    assert.equal(done, 20);
  }),

  ...both('timedwait: ETIMEDOUT when its clock shows the deadline, not before, with the mutex', (options) => {
    const mutex = new Mutex(options);
    for (const clock of [CLOCK_REALTIME, CLOCK_MONOTONIC]) {
      const cond = new Cond({ ...options, clock });
      assert.equal(cond.clock, clock);
      mutex.lock();
      const deadline = clockNow(clock) + 20;
      fails('ETIMEDOUT', 'pthread_cond_timedwait', () => cond.timedWait(mutex, deadline));
      assert.ok(clockNow(clock) >= deadline);
      mutex.unlock(); // throws EPERM if it had not been had again
    }
  }),

  'clockwait takes a clock that is not its own': () => {
    const [cond, mutex] = [new Cond({ clock: CLOCK_REALTIME }), new Mutex()];
    mutex.lock();
    const deadline = clockNow(CLOCK_MONOTONIC) + 20;
    fails('ETIMEDOUT', 'pthread_cond_clockwait', () => cond.clockWait(mutex, CLOCK_MONOTONIC, deadline));
    assert.ok(clockNow(CLOCK_MONOTONIC) >= deadline);
  },

  'a deadline that is over: ETIMEDOUT at once, and others have had the mutex if they wanted it': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const log = [];
    mutex.lock();
    const other = started(() => {
      mutex.lock();
      log.push('other');
      mutex.unlock();
    });
    fails('ETIMEDOUT', 'pthread_cond_timedwait', () => cond.timedWait(mutex, 0));
    log.push('main');
    mutex.unlock();
    other.join();
    assert.deepEqual(log, ['other', 'main']);
  },

  'timedwait that is signalled in time returns': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const td = started(() => {
      mutex.lock();
      cond.timedWait(mutex, Date.now() + 60_000);
      mutex.unlock();
    });
    cond.signal();
    td.join();
  },

  'a waiter whose time is up does not take a signal from another': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const log = [];
    const late = started(() => {
      mutex.lock();
      try {
        cond.wait(mutex, { timeout: 1 });
        log.push('late: signalled');
      } catch (error) {
        log.push(`late: ${error.code}`);
      }
      mutex.unlock();
    });
    const other = waiter(cond, mutex, () => log.push('other'));
    late.join();
    cond.signal();
    other.join();
    assert.deepEqual(log, ['late: ETIMEDOUT', 'other']);
  },

  ...both('it is a cancellation point, and the mutex is locked when cleanup handlers run', (options) => {
    const [cond, mutex] = [new Cond(options), new Mutex(options)];
    const log = [];
    const td = pthread.create(() => {
      mutex.lock();
      pthread.cleanupPush(() => {
        log.push('cleanup');
        mutex.unlock(); // throws EPERM if this thread does not have it
      });
      cond.wait(mutex);
    });
    settle();
    mutex.lock();
    pthread.cancel(td);
    settle();
    assert.equal(td.state, 'blocked', 'it waits for the mutex');
    mutex.unlock();
    assert.equal(pthread.join(td), pthread.CANCELED);
    assert.deepEqual(log, ['cleanup']);
    assert.ok(mutex.tryLock());
  }),

  'one that is cancelled does not take a signal from another': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const first = pthread.create(() => {
      using_(mutex, () => cond.wait(mutex));
    });
    settle();
    const second = waiter(cond, mutex);
    pthread.cancel(first);
    cond.signal();
    second.join();
    assert.equal(pthread.join(first), pthread.CANCELED);
  },

  'one that has been signalled and is cancelled then returns, and is cancelled later': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const log = [];
    const td = pthread.create(() => {
      mutex.lock();
      cond.wait(mutex);
      log.push('signalled');
      mutex.unlock();
      pthread.testCancel();
    });
    settle();
    cond.signal();
    pthread.cancel(td);
    assert.equal(pthread.join(td), pthread.CANCELED);
    assert.deepEqual(log, ['signalled']);
  },

  'td.abort() ends it, with the mutex': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const td = started(() => {
      mutex.lock();
      throwsCode('ABORT_ERR', () => cond.wait(mutex));
      mutex.unlock();
      return 'has it';
    });
    td.abort();
    assert.equal(td.join(), 'has it');
  },

  'aborted again while it waits for the mutex, it has the mutex first, and hears of that at its next wait':
    () => {
      const [cond, mutex] = [new Cond(), new Mutex()];
      const td = started(() => {
        mutex.lock();
        throwsCode('ABORT_ERR', () => cond.wait(mutex));
        mutex.unlock();
        throwsCode('ABORT_ERR', () => sleep(60_000));
        return 'has had it';
      });
      mutex.lock();
      td.abort();
      settle();
      td.abort();
      settle();
      assert.equal(td.state, 'blocked');
      mutex.unlock();
      assert.equal(td.join(), 'has had it');
    },

  'a recursive mutex is let go of wholly, and had again as often': () => {
    const [cond, mutex] = [new Cond(), new Mutex({ type: 'recursive' })];
    const td = started(() => {
      mutex.lock();
      mutex.lock();
      cond.wait(mutex);
      mutex.unlock();
      mutex.unlock();
      fails('EPERM', 'pthread_mutex_unlock', () => mutex.unlock());
    });
    mutex.lock();
    cond.signal();
    mutex.unlock();
    td.join();
  },

  'a robust mutex whose owner ended meanwhile: EOWNERDEAD, with the mutex': () => {
    const [cond, mutex] = [new Cond(), new Mutex({ robust: true })];
    const td = started(() => {
      mutex.lock();
      fails('EOWNERDEAD', 'pthread_mutex_lock', () => cond.wait(mutex));
      mutex.consistent();
      mutex.unlock();
    });
    create(() => void mutex.lock()).join();
    cond.signal();
    td.join();
  },

  'producers and consumers lose nothing': () => {
    const [full, empty, mutex] = [new Cond(), new Cond(), new Mutex()];
    const [queue, got] = [[], []];
    const producers = [0, 1, 2].map((p) =>
      create(() => {
        for (let i = 0; i < 100; i++) {
          mutex.lock();
          while (queue.length === 4) full.wait(mutex);
          queue.push(p * 100 + i);
          empty.signal();
          mutex.unlock();
          if (i % 7 === 0) sleep(0);
        }
      }),
    );
    const consumers = [0, 1, 2].map(() =>
      create(() => {
        for (let i = 0; i < 100; i++) {
          mutex.lock();
          while (queue.length === 0) empty.wait(mutex);
          got.push(queue.shift());
          full.signal();
          mutex.unlock();
        }
      }),
    );
    for (const td of [...producers, ...consumers]) td.join();
    assert.deepEqual(
      got.toSorted((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i),
    );
  },

  'thread0 can signal, and can not wait': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    const td = waiter(cond, mutex);
    onThread0(() => {
      mutex.lock();
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => cond.wait(mutex));
      mutex.unlock();
      cond.signal();
    });
    td.join();
  },

  'misuse has clear errors': () => {
    const [cond, mutex] = [new Cond(), new Mutex()];
    throwsCode('ERR_INVALID_ARG_TYPE', () => cond.wait({}));
    throwsCode('ERR_OUT_OF_RANGE', () => new Cond({ clock: 7 }));
    mutex.lock();
    throwsCode('ERR_INVALID_ARG_TYPE', () => cond.timedWait(mutex, {}));
    throwsCode('ERR_OUT_OF_RANGE', () => cond.wait(mutex, { timeout: Number.NaN }));
    mutex.unlock(); // still had
    fails('EINVAL', 'place', () => cond.place);
  },
});

function using_(mutex, fn) {
  const guard = mutex.lock();
  try {
    fn();
  } finally {
    guard.release();
  }
}
