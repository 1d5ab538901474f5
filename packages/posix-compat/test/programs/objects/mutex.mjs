// What the standard says of mutexes. See conformance.test.ts.
import { create, sleep } from '@libcr/core';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, clockNow, Mutex, pthread } from '@libcr/posix-compat';
import { assert, both, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

const held = (mutex) => {
  let go = false;
  const td = started(() => {
    mutex.lock();
    while (!go) sleep(0);
    mutex.unlock();
  });
  return {
    release() {
      go = true;
      td.join();
    },
  };
};

await conform({
  ...both('a thread that locks a mutex of another one waits until that one unlocks it', (options) => {
    const mutex = new Mutex(options);
    const log = [];
    mutex.lock();
    const td = started(() => {
      mutex.lock();
      log.push('locked');
      mutex.unlock();
    });
    assert.equal(td.state, 'blocked');
    assert.deepEqual(log, []);
    mutex.unlock();
    td.join();
    assert.deepEqual(log, ['locked']);
  }),

  ...both('waiting blocks the userthread, and not the event loop', (options) => {
    const mutex = new Mutex(options);
    const other = held(mutex);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const td = started(() => mutex.lock());
    while (ticks < 3) sleep(1);
    clearInterval(timer);
    assert.equal(td.state, 'blocked');
    other.release();
    td.join();
  }),

  ...both('of the threads of one rfork the one that has waited longest gets it', (options) => {
    const mutex = new Mutex(options);
    const log = [];
    mutex.lock();
    const tds = [1, 2, 3, 4].map((n) =>
      started(() => {
        mutex.lock();
        log.push(n);
        mutex.unlock();
      }),
    );
    mutex.unlock();
    for (const td of tds) td.join();
    assert.deepEqual(log, [1, 2, 3, 4]);
  }),

  'a thread that unlocks and locks again at once does not keep others from it': () => {
    const mutex = new Mutex();
    let over = false;
    const greedy = create(() => {
      while (!over) {
        mutex.lock();
        sleep(0);
        mutex.unlock();
      }
    });
    settle();
    mutex.lock();
    over = true;
    mutex.unlock();
    greedy.join();
  },

  'trylock of a locked mutex answers at once, without it': () => {
    const mutex = new Mutex();
    const other = held(mutex);
    assert.equal(mutex.tryLock(), undefined);
    other.release();
    assert.ok(mutex.tryLock());
    assert.equal(mutex.tryLock(), undefined, 'nor can its owner have it again');
    mutex.unlock();
  },

  'a recursive mutex is unlocked as often as it was locked': () => {
    const mutex = new Mutex({ type: 'recursive' });
    mutex.lock();
    mutex.lock();
    assert.ok(mutex.tryLock());
    const td = started(() => mutex.lock());
    mutex.unlock();
    mutex.unlock();
    settle();
    assert.equal(td.state, 'blocked');
    mutex.unlock();
    td.join();
  },

  'an error-checking mutex: EDEADLK where its owner locks it again': () => {
    const mutex = new Mutex({ type: 'errorcheck' });
    mutex.lock();
    fails('EDEADLK', 'pthread_mutex_lock', () => mutex.lock());
    fails('EDEADLK', 'pthread_mutex_timedlock', () => mutex.timedLock(Date.now() + 1000));
    mutex.unlock();
  },

  'a normal mutex says EDEADLK as well, instead of a wait without end': () => {
    const mutex = new Mutex();
    mutex.lock();
    fails('EDEADLK', 'pthread_mutex_lock', () => mutex.lock());
  },

  'EPERM where another thread unlocks it, of whatever type': () => {
    for (const options of [{}, { type: 'recursive' }, { type: 'errorcheck' }, { robust: true }]) {
      const mutex = new Mutex(options);
      const other = held(mutex);
      fails('EPERM', 'pthread_mutex_unlock', () => mutex.unlock());
      other.release();
    }
  },

  'EPERM where nobody has it': () =>
    fails('EPERM', 'pthread_mutex_unlock', () => new Mutex({ type: 'errorcheck' }).unlock()),

  ...both('timedlock: ETIMEDOUT when the deadline passes, not before', (options) => {
    const mutex = new Mutex(options);
    const other = held(mutex);
    const deadline = clockNow(CLOCK_REALTIME) + 30;
    fails('ETIMEDOUT', 'pthread_mutex_timedlock', () => mutex.timedLock(deadline));
    assert.ok(clockNow(CLOCK_REALTIME) >= deadline);
    fails('ETIMEDOUT', 'pthread_mutex_timedlock', () => mutex.timedLock(new Date(deadline)));
    const monotonic = clockNow(CLOCK_MONOTONIC) + 30;
    fails('ETIMEDOUT', 'pthread_mutex_clocklock', () => mutex.clockLock(CLOCK_MONOTONIC, monotonic));
    assert.ok(clockNow(CLOCK_MONOTONIC) >= monotonic);
    fails('ETIMEDOUT', 'pthread_mutex_lock', () => mutex.lock({ timeout: 1 }));
    other.release();
    mutex.lock();
    mutex.unlock();
  }),

  'timedlock: a mutex that is free is locked however late it is': () => {
    const mutex = new Mutex();
    mutex.timedLock(0);
    mutex.unlock();
    mutex.clockLock(CLOCK_MONOTONIC, -1);
    mutex.unlock();
  },

  'timedlock: one that is unlocked in time is locked': () => {
    const mutex = new Mutex();
    const other = held(mutex);
    const td = started(() => void mutex.timedLock(Date.now() + 60_000));
    other.release();
    td.join();
  },

  'who has given up does not get it later': () => {
    const mutex = new Mutex();
    const other = held(mutex);
    fails('ETIMEDOUT', 'pthread_mutex_lock', () => mutex.lock({ timeout: 1 }));
    const td = started(() => mutex.lock());
    other.release();
    td.join();
    assert.equal(mutex.tryLock(), undefined);
  },

  'it is no cancellation point': () => {
    const mutex = new Mutex();
    mutex.lock();
    const log = [];
    const td = pthread.create(() => {
      mutex.lock();
      log.push('locked');
      mutex.unlock();
      pthread.testCancel();
      log.push('not reached');
    });
    settle();
    pthread.cancel(td);
    settle();
    assert.equal(td.state, 'blocked');
    mutex.unlock();
    assert.equal(pthread.join(td), pthread.CANCELED);
    assert.deepEqual(log, ['locked']);
  },

  'td.abort() and signals end a wait, and others get it': () => {
    const mutex = new Mutex();
    mutex.lock();
    const log = [];
    const waiter = started(() => {
      try {
        mutex.lock();
      } catch (error) {
        log.push(error.code);
      }
    });
    const second = started(() => throwsCode('ABORT_ERR', () => mutex.lock({ signal: AbortSignal.abort() })));
    const third = started(() => mutex.lock());
    waiter.abort();
    waiter.join();
    second.join();
    mutex.unlock();
    third.join();
    assert.deepEqual(log, ['ABORT_ERR']);
  },

  'robust: EOWNERDEAD when the owner has ended, with the mutex locked; consistent() makes it whole': () => {
    for (const options of [{}, { shared: true }, { type: 'recursive' }]) {
      const mutex = new Mutex({ ...options, robust: true });
      create(() => void mutex.lock()).join();
      fails('EOWNERDEAD', 'pthread_mutex_lock', () => mutex.lock());
      assert.equal(started(() => mutex.tryLock() === undefined).join(), true);
      mutex.consistent();
      mutex.unlock();
      mutex.lock();
      mutex.unlock();
    }
  },

  'robust: who waits already is told, too': () => {
    const mutex = new Mutex({ robust: true });
    let go = false;
    const owner = started(() => {
      mutex.lock();
      while (!go) sleep(0);
    });
    const waiter = started(() => fails('EOWNERDEAD', 'pthread_mutex_lock', () => mutex.lock()));
    assert.equal(waiter.state, 'blocked');
    go = true;
    owner.join();
    waiter.join();
  },

  'robust: unlocked while inconsistent it is ENOTRECOVERABLE, for all and for ever': () => {
    const mutex = new Mutex({ robust: true });
    create(() => void mutex.lock()).join();
    fails('EOWNERDEAD', 'pthread_mutex_lock', () => mutex.tryLock());
    const waiters = [1, 2, 3].map(() =>
      started(() => fails('ENOTRECOVERABLE', 'pthread_mutex_lock', () => mutex.lock())),
    );
    mutex.unlock();
    for (const td of waiters) td.join();
    fails('ENOTRECOVERABLE', 'pthread_mutex_lock', () => mutex.tryLock());
    fails('ENOTRECOVERABLE', 'pthread_mutex_lock', () => mutex.timedLock(0));
  },

  'robust: its owner may die of an exception, of abort() and of terminate()': () => {
    const mutex = new Mutex({ robust: true });
    const ways = [(td) => td.abort(), (td) => td.terminate(), (td) => pthread.cancel(td)];
    for (const end of ways) {
      const td = pthread.create(
        () => {
          mutex.lock();
          for (;;) sleep(1000);
        },
        { preemptible: true },
      );
      settle();
      end(td);
      try {
        pthread.join(td);
      } catch {
        // its way of dying
      }
      fails('EOWNERDEAD', 'pthread_mutex_lock', () => mutex.lock());
      mutex.consistent();
      mutex.unlock();
    }
  },

  'consistent() is EINVAL for a mutex that is not inconsistent, or not robust': () => {
    const mutex = new Mutex({ robust: true });
    mutex.lock();
    fails('EINVAL', 'pthread_mutex_consistent', () => mutex.consistent());
    const plain = new Mutex();
    plain.lock();
    fails('EINVAL', 'pthread_mutex_consistent', () => plain.consistent());
  },

  'a lock is never half taken when its threads are preempted': () => {
    for (const options of [{}, { shared: true }, { type: 'recursive' }, { robust: true }]) {
      const mutex = new Mutex(options);
      let [inside, n] = [0, 0];
      const tds = [1, 2, 3].map(() =>
        create(
          () => {
            for (const end = Date.now() + 100; Date.now() < end; n++) {
              mutex.lock();
              assert.equal(inside++, 0);
              for (let i = 0; i < n % 500; i++) Math.sqrt(i);
              inside--;
              mutex.unlock();
            }
          },
          { preemptible: true, slice: 0.1 },
        ),
      );
      for (const td of tds) td.join();
      assert.equal(String(mutex), 'Mutex free');
    }
  },

  'on thread0 it can be locked if it is free, else it would block': () => {
    const mutex = new Mutex();
    onThread0(() => {
      mutex.lock();
      fails('EDEADLK', 'pthread_mutex_lock', () => mutex.lock());
      mutex.unlock();
    });
    mutex.lock();
    onThread0(() => {
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => mutex.lock());
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => mutex.timedLock(Date.now() + 5));
      assert.equal(mutex.tryLock(), undefined);
      fails('EPERM', 'pthread_mutex_unlock', () => mutex.unlock());
    });
    mutex.unlock();
  },

  'what lock() returns is for `using`, and lets go': () => {
    const mutex = new Mutex();
    const guard = mutex.lock();
    guard[Symbol.dispose]();
    assert.ok(mutex.tryLock());
    guard.release();
    fails('EPERM', 'pthread_mutex_unlock', () => guard.release());
  },

  'misuse has clear errors and changes nothing': () => {
    throwsCode('ERR_OUT_OF_RANGE', () => new Mutex({ type: 'quick' }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Mutex({ type: 1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Mutex({ robust: 1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Mutex(null));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new Mutex({ shared: new ArrayBuffer(64) }));
    throwsCode('ERR_OUT_OF_RANGE', () => new Mutex({ shared: new SharedArrayBuffer(8) }));
    throwsCode('ERR_OUT_OF_RANGE', () => new Mutex({ shared: new SharedArrayBuffer(64), offset: 3 }));
    const mutex = new Mutex();
    throwsCode('ERR_INVALID_ARG_TYPE', () => mutex.lock(5));
    throwsCode('ERR_INVALID_ARG_TYPE', () => mutex.lock({ timeout: '1' }));
    throwsCode('ERR_OUT_OF_RANGE', () => mutex.lock({ timeout: -1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => mutex.lock({ signal: {} }));
    throwsCode('ERR_OUT_OF_RANGE', () => mutex.timedLock(Number.NaN));
    throwsCode('ERR_INVALID_ARG_TYPE', () => mutex.timedLock('soon'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => mutex.clockLock(CLOCK_MONOTONIC, new Date()));
    throwsCode('ERR_OUT_OF_RANGE', () => mutex.clockLock(2, 0));
    assert.ok(mutex.tryLock());
  },

  'it shows itself in one line': () => {
    const mutex = new Mutex();
    assert.equal(String(mutex), 'Mutex free');
    mutex.lock();
    assert.equal(String(mutex), 'Mutex locked');
  },
});
