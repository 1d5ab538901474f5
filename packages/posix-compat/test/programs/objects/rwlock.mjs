// What the standard says of read-write locks. See conformance.test.ts.
import { create, sleep } from '@libcr/core';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, clockNow, pthread, RWLock } from '@libcr/posix-compat';
import { assert, both, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

/** A thread that takes it, and lets go when told. */
const holder = (lock, how, log, name) => {
  let go = false;
  const td = started(() => {
    lock[how]();
    log?.push(name);
    while (!go) sleep(0);
    lock.unlock();
  });
  return {
    td,
    release() {
      go = true;
      td.join();
    },
  };
};

await conform({
  ...both('several read at once', (options) => {
    const lock = new RWLock(options);
    const readers = [1, 2, 3].map(() => holder(lock, 'readLock'));
    for (const { td } of readers) assert.equal(td.waitReason, 'sleep 0 ms');
    for (const reader of readers) reader.release();
    assert.equal(String(lock), 'RWLock free');
  }),

  ...both('who writes is alone', (options) => {
    const lock = new RWLock(options);
    const log = [];
    const writer = holder(lock, 'writeLock', log, 'w1');
    const second = holder(lock, 'writeLock', log, 'w2');
    const reader = holder(lock, 'readLock', log, 'r');
    assert.deepEqual(log, ['w1']);
    writer.release();
    settle();
    assert.equal(log.length, 2);
    (log[1] === 'r' ? reader : second).release();
    settle();
    assert.equal(log.length, 3);
    (log[2] === 'r' ? reader : second).release();
    assert.equal(String(lock), 'RWLock free');
  }),

  'a reader that comes while a writer waits waits for it; after the writer all waiting readers go': () => {
    const lock = new RWLock();
    const log = [];
    const first = holder(lock, 'readLock', log, 'r1');
    const writer = holder(lock, 'writeLock', log, 'w1');
    const later = [holder(lock, 'readLock', log, 'r2'), holder(lock, 'readLock', log, 'r3')];
    const second = holder(lock, 'writeLock', log, 'w2');
    assert.deepEqual(log, ['r1']);
    first.release();
    settle();
    assert.deepEqual(log, ['r1', 'w1']);
    writer.release();
    settle();
    assert.deepEqual(log, ['r1', 'w1', 'r2', 'r3']);
    for (const each of later) each.release();
    settle();
    assert.deepEqual(log, ['r1', 'w1', 'r2', 'r3', 'w2']);
    second.release();
  },

  'neither readers nor writers that come again and again keep the others out': () => {
    for (const [many, one] of [
      ['readLock', 'writeLock'],
      ['writeLock', 'readLock'],
    ]) {
      const lock = new RWLock();
      let over = false;
      const crowd = [1, 2, 3].map(() =>
        create(() => {
          while (!over) {
            lock[many]();
            sleep(0);
            lock.unlock();
          }
        }),
      );
      settle();
      lock[one]();
      over = true;
      lock.unlock();
      for (const td of crowd) td.join();
    }
  },

  'a thread may read several times at once, also while a writer waits, and unlocks as often': () => {
    const lock = new RWLock();
    lock.readLock();
    const writer = holder(lock, 'writeLock');
    lock.readLock();
    assert.ok(lock.tryReadLock());
    lock.unlock();
    lock.unlock();
    settle();
    assert.match(writer.td.waitReason, /^rwlock/);
    lock.unlock();
    writer.release();
  },

  ...both('tryrdlock and trywrlock answer at once', (options) => {
    const lock = new RWLock(options);
    const writer = holder(lock, 'writeLock');
    assert.equal(lock.tryReadLock(), undefined);
    assert.equal(lock.tryWriteLock(), undefined);
    writer.release();
    const reader = holder(lock, 'readLock');
    assert.ok(lock.tryReadLock());
    lock.unlock();
    assert.equal(lock.tryWriteLock(), undefined);
    reader.release();
    assert.ok(lock.tryWriteLock());
    assert.equal(lock.tryReadLock(), undefined, 'nor can the writer read');
    lock.unlock();
  }),

  'EDEADLK for who waits for himself': () => {
    const lock = new RWLock();
    lock.writeLock();
    fails('EDEADLK', 'pthread_rwlock_rdlock', () => lock.readLock());
    fails('EDEADLK', 'pthread_rwlock_wrlock', () => lock.writeLock());
    fails('EDEADLK', 'pthread_rwlock_timedwrlock', () => lock.timedWriteLock(Date.now() + 1000));
    lock.unlock();
    lock.readLock();
    fails('EDEADLK', 'pthread_rwlock_wrlock', () => lock.writeLock());
    lock.unlock();
  },

  'EPERM for who does not have it': () => {
    const lock = new RWLock();
    fails('EPERM', 'pthread_rwlock_unlock', () => lock.unlock());
    for (const how of ['readLock', 'writeLock']) {
      const other = holder(lock, how);
      fails('EPERM', 'pthread_rwlock_unlock', () => lock.unlock());
      other.release();
    }
  },

  ...both('the timed ones: ETIMEDOUT when the deadline passes, not before', (options) => {
    const lock = new RWLock(options);
    const writer = holder(lock, 'writeLock');
    const deadline = clockNow(CLOCK_REALTIME) + 20;
    fails('ETIMEDOUT', 'pthread_rwlock_timedrdlock', () => lock.timedReadLock(deadline));
    assert.ok(clockNow(CLOCK_REALTIME) >= deadline);
    const monotonic = clockNow(CLOCK_MONOTONIC) + 20;
    fails('ETIMEDOUT', 'pthread_rwlock_clockwrlock', () => lock.clockWriteLock(CLOCK_MONOTONIC, monotonic));
    assert.ok(clockNow(CLOCK_MONOTONIC) >= monotonic);
    fails('ETIMEDOUT', 'pthread_rwlock_wrlock', () => lock.writeLock({ timeout: 1 }));
    fails('ETIMEDOUT', 'pthread_rwlock_rdlock', () => lock.readLock({ timeout: 1 }));
    writer.release();
    lock.timedReadLock(0); // free: it does not look at the time
    lock.unlock();
    lock.clockWriteLock(CLOCK_MONOTONIC, 0);
    lock.unlock();
  }),

  ...both('a writer that gives up lets in the readers that waited for it', (options) => {
    const lock = new RWLock(options);
    lock.readLock();
    const late = new AbortController();
    const writer = started(() => throwsCode('ABORT_ERR', () => lock.writeLock({ signal: late.signal })));
    const reader = started(() => {
      lock.readLock();
      lock.unlock();
    });
    assert.equal(reader.state, 'blocked');
    late.abort();
    reader.join();
    writer.join();
    lock.unlock();
    assert.equal(String(lock), 'RWLock free');
  }),

  'it is no cancellation point': () => {
    const lock = new RWLock();
    lock.writeLock();
    const tds = ['readLock', 'writeLock'].map((how) =>
      pthread.create(() => {
        lock[how]();
        lock.unlock();
        pthread.testCancel();
      }),
    );
    settle();
    for (const td of tds) pthread.cancel(td);
    settle();
    for (const td of tds) assert.equal(td.state, 'blocked');
    lock.unlock();
    for (const td of tds) assert.equal(pthread.join(td), pthread.CANCELED);
  },

  'td.abort() ends a wait': () => {
    const lock = new RWLock();
    lock.writeLock();
    const tds = ['readLock', 'writeLock'].map((how) =>
      started(() => throwsCode('ABORT_ERR', () => lock[how]())),
    );
    for (const td of tds) {
      td.abort();
      td.join();
    }
    lock.unlock();
    assert.equal(String(lock), 'RWLock free');
  },

  'thread0 can take it where that needs no waiting': () => {
    const lock = new RWLock();
    onThread0(() => {
      lock.readLock()[Symbol.dispose]();
      lock.writeLock().release();
    });
    const writer = holder(lock, 'writeLock');
    onThread0(() => {
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => lock.readLock());
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => lock.writeLock());
    });
    writer.release();
  },
});
