// What the standard says of threads: create, join, detach, exit, cancellation, cleanup handlers, keys, once; and sched. See conformance.test.ts.
import { create, MsgPort, preemptible, sleep, wait, yieldNow } from '@libcr/core';
import { Mutex, pthread, sched } from '@libcr/posix-compat';
import { sys } from '@libcr/syscalls';
import { assert, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

const { CANCELED } = pthread;
const forever = () => new Promise(() => {});

await conform({
  'create: the thread runs main, and join answers what it returned': () => {
    const td = pthread.create(() => 'value');
    assert.equal(pthread.join(td), 'value');
    assert.equal(pthread.join(pthread.create(async () => 5)), 5);
    assert.equal(pthread.join(create(() => 'of core')), 'of core');
  },

  'create: what main throws, join throws': () => {
    const td = pthread.create(() => {
      throw new RangeError('mine');
    });
    assert.throws(() => pthread.join(td), RangeError);
  },

  'join: blocks until the thread has ended': () => {
    let ended = false;
    const td = pthread.create(() => {
      sleep(5);
      ended = true;
    });
    pthread.join(td);
    assert.equal(ended, true);
  },

  'join: EDEADLK for oneself, EINVAL for a detached one or one that another joins, ESRCH for the second time':
    () => {
      const me = started(() => fails('EDEADLK', 'pthread_join', () => pthread.join(pthread.self())));
      me.join();
      const detached = pthread.create(() => sleep(1), { detached: true });
      fails('EINVAL', 'pthread_join', () => pthread.join(detached));
      fails('EINVAL', 'pthread_detach', () => pthread.detach(detached));
      let go = false;
      const td = pthread.create(() => {
        while (!go) sleep(1);
      });
      const joiner = started(() => pthread.join(td));
      fails('EINVAL', 'pthread_join', () => pthread.join(td));
      go = true;
      joiner.join();
      fails('ESRCH', 'pthread_join', () => pthread.join(td));
      fails('ESRCH', 'pthread_detach', () => pthread.detach(td));
      fails('ESRCH', 'pthread_detach', () => pthread.detach(create(() => {})));
    },

  'join: it is a cancellation point, and the thread can still be joined': () => {
    let go = false;
    const td = pthread.create(() => {
      while (!go) sleep(1);
      return 'value';
    });
    const joiner = pthread.create(() => pthread.join(td));
    settle();
    pthread.cancel(joiner);
    assert.equal(pthread.join(joiner), CANCELED);
    fails('ETIMEDOUT', 'pthread_join', () => pthread.join(td, { timeout: 1 }));
    go = true;
    assert.equal(pthread.join(td), 'value');
  },

  'self and equal': () => {
    const td = pthread.create(() => pthread.self());
    assert.ok(pthread.equal(pthread.join(td), td));
    assert.equal(pthread.equal(td, pthread.self()), false);
  },

  'exit: ends the thread from wherever it is; finally blocks, then cleanup handlers, then destructors':
    () => {
      const log = [];
      const key = new pthread.Key((value) => log.push(`destructor ${value}`));
      const td = pthread.create(() => {
        key.set('of mine');
        pthread.cleanupPush(() => log.push('cleanup 1'));
        pthread.cleanupPush(() => log.push('cleanup 2'));
        const deep = (n) => {
          try {
            if (n === 0) pthread.exit('value');
            deep(n - 1);
          } finally {
            log.push(`finally ${n}`);
          }
        };
        deep(2);
      });
      assert.equal(pthread.join(td), 'value');
      assert.deepEqual(log, [
        'finally 0',
        'finally 1',
        'finally 2',
        'cleanup 2',
        'cleanup 1',
        'destructor of mine',
      ]);
    },

  'exit: ESRCH on a thread that pthread.create() has not made': () => {
    fails('ESRCH', 'pthread_exit', () => pthread.exit());
    onThread0(() => fails('ESRCH', 'pthread_exit', () => pthread.exit()));
  },

  'cleanup: pop takes the last one back, and calls it if it is to': () => {
    const log = [];
    const td = pthread.create(() => {
      const first = pthread.cleanupPush(() => log.push('first'));
      const second = pthread.cleanupPush(() => log.push('second'));
      fails('EINVAL', 'pthread_cleanup_pop', () => first.pop());
      second.pop();
      first.pop(true);
      const third = pthread.cleanupPush(() => log.push('third'));
      third[Symbol.dispose]();
      third[Symbol.dispose]();
    });
    pthread.join(td);
    assert.deepEqual(log, ['first', 'third']);
  },

  'cleanup: not called where main returns; called where it throws': () => {
    const log = [];
    pthread.join(pthread.create(() => void pthread.cleanupPush(() => log.push('returned'))));
    const td = pthread.create(() => {
      pthread.cleanupPush(() => log.push('threw'));
      throw new Error('mine');
    });
    assert.throws(() => pthread.join(td), /mine/);
    assert.deepEqual(log, ['threw']);
    fails('ESRCH', 'pthread_cleanup_push', () => pthread.cleanupPush(() => {}));
  },

  'cleanup: it may wait, and is not cancelled again': () => {
    const log = [];
    const td = pthread.create(() => {
      pthread.cleanupPush(() => {
        sleep(2);
        pthread.testCancel();
        log.push('slept');
      });
      wait(forever());
    });
    settle();
    pthread.cancel(td);
    settle();
    pthread.cancel(td);
    assert.equal(pthread.join(td), CANCELED);
    assert.deepEqual(log, ['slept']);
  },

  'cancel: deferred, it acts at the next cancellation point, not before': () => {
    const log = [];
    const td = pthread.create(() => {
      yieldNow();
      log.push('no wait, no cancellation');
      pthread.testCancel();
      log.push('not reached');
    });
    pthread.cancel(td);
    assert.equal(pthread.join(td), CANCELED);
    assert.ok(log.length <= 1);
  },

  'cancel: waits are cancellation points: sleep, wait, join, ports': () => {
    const port = new MsgPort('never');
    const ways = [
      () => sleep(60_000),
      () => wait(forever()),
      () => create(() => sleep(100)).join(),
      () => port.waitport(),
    ];
    for (const way of ways) {
      const td = pthread.create(way);
      settle();
      pthread.cancel(td);
      assert.equal(pthread.join(td), CANCELED);
    }
  },

  'cancel: system calls that wait are cancellation points': () => {
    const [reading, writing] = sys.pipe2(0);
    const td = pthread.create(() => sys.read(reading, Buffer.alloc(1), 1));
    settle();
    assert.equal(td.state, 'blocked');
    pthread.cancel(td);
    assert.equal(pthread.join(td), pthread.CANCELED);
    sys.write(writing, Buffer.from('x'), 1);
    assert.equal(sys.read(reading, Buffer.alloc(1), 1), 1, 'it has taken nothing');
  },

  'cancel: disabled, it stays pending until it is enabled': () => {
    const log = [];
    let cancelled = false;
    const td = pthread.create(() => {
      assert.equal(pthread.setCancelState('disable'), 'enable');
      while (!cancelled) sleep(1);
      pthread.testCancel();
      log.push('slept');
      assert.equal(pthread.setCancelState('enable'), 'disable');
      log.push('enabled');
      pthread.testCancel();
      log.push('not reached');
    });
    settle();
    pthread.cancel(td);
    cancelled = true;
    assert.equal(pthread.join(td), CANCELED);
    assert.deepEqual(log, ['slept', 'enabled']);
  },

  'cancel: a thread that has ended, one that pthread.create() has not made, oneself': () => {
    const td = pthread.create(() => 5);
    while (td.state !== 'finished') yieldNow();
    pthread.cancel(td);
    assert.equal(pthread.join(td), 5);
    fails('ESRCH', 'pthread_cancel', () => pthread.cancel(create(() => {})));
    throwsCode('ERR_INVALID_ARG_TYPE', () => pthread.cancel({}));
    const self = pthread.create(() => {
      pthread.cancel(pthread.self());
      sleep(0);
    });
    assert.equal(pthread.join(self), CANCELED);
  },

  'cancel: asynchronous is refused outside of preemptible regions': () => {
    const td = pthread.create(() => {
      fails('ENOTSUP', 'pthread_setcanceltype', () => pthread.setCancelType('asynchronous'));
      assert.equal(pthread.setCancelType('deferred'), 'deferred');
      preemptible(() => assert.equal(pthread.setCancelType('asynchronous'), 'deferred'));
    });
    pthread.join(td);
    fails('ESRCH', 'pthread_setcanceltype', () => pthread.setCancelType('deferred'));
    fails('ESRCH', 'pthread_setcancelstate', () => pthread.setCancelState('disable'));
  },

  'cancel: asynchronous, it ends a thread that computes; handlers and destructors are called': () => {
    const log = [];
    const key = new pthread.Key((value) => log.push(value));
    let computing = false;
    const td = pthread.create(
      () => {
        key.set('destructor');
        pthread.cleanupPush(() => log.push('cleanup'));
        pthread.setCancelType('asynchronous');
        computing = true;
        for (;;);
      },
      { preemptible: true, slice: 1 },
    );
    while (!computing) sleep(0);
    pthread.cancel(td);
    assert.equal(pthread.join(td), CANCELED);
    assert.deepEqual(log, ['cleanup', 'destructor']);
  },

  'cancel: asynchronous, and disabled: it ends when it is enabled': () => {
    let enabled = false;
    const td = pthread.create(
      () => {
        pthread.setCancelType('asynchronous');
        pthread.setCancelState('disable');
        pthread.cancel(pthread.self());
        sleep(1);
        enabled = true;
        pthread.setCancelState('enable');
        enabled = 'still there';
      },
      { preemptible: true },
    );
    assert.equal(pthread.join(td), CANCELED);
    assert.equal(enabled, true);
  },

  'cancel: a thread that waits asynchronously ends, too': () => {
    const td = pthread.create(
      () => {
        pthread.setCancelType('asynchronous');
        wait(forever());
      },
      { preemptible: true },
    );
    settle();
    pthread.cancel(td);
    assert.equal(pthread.join(td), CANCELED);
  },

  'keys: each thread has a value of its own, undefined at first': () => {
    const key = new pthread.Key();
    key.set('main');
    const td = pthread.create(() => {
      assert.equal(key.get(), undefined);
      key.set('thread');
      yieldNow();
      return key.get();
    });
    assert.equal(pthread.join(td), 'thread');
    assert.equal(key.get(), 'main');
    onThread0(() => assert.equal(key.get(), undefined));
  },

  'keys: destructors are called at the end, on the thread, at most four times over': () => {
    const log = [];
    const key = new pthread.Key((value) => {
      assert.equal(key.get(), undefined);
      sleep(0); // it may wait
      log.push(`${value} of ${pthread.self().name}`);
      key.set(value + 1);
    });
    const td = pthread.create(() => key.set(1), { name: 'its own' });
    pthread.join(td);
    assert.deepEqual(
      log,
      [1, 2, 3, 4].map((n) => `${n} of its own`),
    );
    assert.equal(pthread.PTHREAD_DESTRUCTOR_ITERATIONS, 4);
  },

  "keys: core's threads have destructors, too": () => {
    const log = [];
    const key = new pthread.Key((value) => log.push(value));
    create(() => key.set('core')).join();
    assert.deepEqual(log, ['core']);
  },

  'keys: no destructor for undefined, nor for a key that has been deleted': () => {
    const log = [];
    const [gone, empty] = [
      new pthread.Key((value) => log.push(value)),
      new pthread.Key((value) => log.push(value)),
    ];
    const td = pthread.create(() => {
      gone.set('gone');
      empty.set('empty');
      empty.set(undefined);
      gone.delete();
      assert.equal(gone.get(), undefined);
      fails('EINVAL', 'pthread_setspecific', () => gone.set(1));
      fails('EINVAL', 'pthread_key_delete', () => gone.delete());
    });
    pthread.join(td);
    assert.deepEqual(log, []);
  },

  'once: init is called once, and nobody returns before it has': () => {
    const control = new pthread.Once();
    let [calls, done] = [0, false];
    const tds = [1, 2, 3].map(() =>
      create(() => {
        pthread.once(control, () => {
          calls++;
          sleep(2);
          done = true;
        });
        assert.equal(done, true);
      }),
    );
    for (const td of tds) td.join();
    assert.equal(calls, 1);
  },

  'once: if the one that calls init is cancelled in it, it has not been called': () => {
    const control = new pthread.Once();
    const td = pthread.create(() => pthread.once(control, () => wait(forever())));
    settle();
    const second = started(() => pthread.once(control, () => {}));
    pthread.cancel(td);
    assert.equal(pthread.join(td), CANCELED);
    second.join();
    pthread.once(control, () => assert.fail('called again'));
  },

  'once: a wait for another one is no cancellation point': () => {
    const control = new pthread.Once();
    const first = started(() => pthread.once(control, () => sleep(5)));
    const second = pthread.create(() => {
      pthread.once(control, () => {});
      return 'returned';
    });
    settle();
    pthread.cancel(second);
    first.join();
    assert.equal(pthread.join(second), 'returned');
  },

  'once: inside of itself it is EDEADLK': () => {
    const control = new pthread.Once();
    pthread.once(control, () =>
      fails('EDEADLK', 'pthread_mutex_lock', () => pthread.once(control, () => {})),
    );
    throwsCode('ERR_INVALID_ARG_TYPE', () => pthread.once(new pthread.Once(), 5));
  },

  'sched: yield lets equals run': () => {
    const log = [];
    const td = create(() => log.push('other'));
    sched.yield();
    assert.deepEqual(log, ['other']);
    td.join();
    onThread0(() => throwsCode('ERR_LWKT_WOULD_BLOCK', () => sched.yield()));
  },

  'sched: priorities and policies': () => {
    assert.deepEqual([sched.getPriorityMin(sched.SCHED_FIFO), sched.getPriorityMax(sched.SCHED_RR)], [0, 31]);
    fails('EINVAL', 'sched_get_priority_max', () => sched.getPriorityMax(0));
    const td = create(() => {}, { priority: 3 });
    assert.deepEqual(sched.getParam(td), { priority: 3 });
    sched.setParam(td, { priority: 7 });
    assert.equal(td.priority, 7);
    throwsCode('ERR_OUT_OF_RANGE', () => sched.setParam(td, { priority: 32 }));
    assert.equal(sched.getScheduler(), sched.SCHED_FIFO);
    preemptible(() => assert.equal(sched.getScheduler(), sched.SCHED_RR));
    sched.setScheduler(td, sched.SCHED_FIFO, { priority: 1 });
    fails('ENOTSUP', 'sched_setscheduler', () => sched.setScheduler(td, sched.SCHED_RR, { priority: 1 }));
    td.join();
  },

  'sched: of those that wait for a mutex the order is that in which they came, whatever their priority':
    () => {
      const mutex = new Mutex();
      const log = [];
      mutex.lock();
      const waiter = (priority) =>
        create(
          () => {
            mutex.lock();
            log.push(priority);
            mutex.unlock();
          },
          { priority },
        );
      const low = waiter(2);
      sleep(0);
      const high = waiter(20);
      sleep(0);
      mutex.unlock();
      low.join();
      high.join();
      assert.deepEqual(log, [2, 20]);
    },
});
