// What the standard says of sigwait, sigtimedwait and sigsuspend. See conformance.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { create, curthread, sleep, Token, yieldNow } from '@libcr/core';
import {
  kill,
  sigaction,
  sigpending,
  sigprocmask,
  sigqueue,
  sigsuspend,
  sigwait,
  threadKill,
} from '@libcr/signals';
import {
  assert,
  byKernel,
  conform,
  fails,
  fromOutside,
  noted,
  onThread0,
  settle,
  started,
  throwsCode,
  until,
} from './cases.mjs';

await conform({
  'sigwait takes a signal that is pending, with what came along; its handler does not run': () => {
    const infos = noted('SIGUSR1');
    sigprocmask('block', 'SIGUSR1');
    sigqueue(process.pid, 'SIGUSR1', 42);
    const { signal, value, pid } = sigwait(['SIGUSR1', 'SIGUSR2']);
    assert.deepEqual([signal, value, pid], ['SIGUSR1', 42, process.pid]);
    assert.deepEqual([...sigpending()], []);
    sigprocmask('unblock', 'SIGUSR1');
    assert.equal(infos.length, 0);
  },

  'sigwait blocks the userthread, and not the event loop, until one comes': () => {
    sigprocmask('block', 'SIGUSR1');
    const td = started(() => sigwait('SIGUSR1'));
    let ticks = 0;
    const clock = setInterval(() => ticks++, 1);
    until(() => ticks > 3);
    clearInterval(clock);
    assert.equal(td.state, 'blocked');
    const pid = fromOutside('SIGUSR1');
    assert.equal(td.join().pid, pid);
  },

  'what is for the thread comes first, then the lowest number, then the oldest': () => {
    const set = ['SIGRTMIN', 'SIGRTMIN+1'];
    sigprocmask('block', set);
    for (const value of [1, 2]) sigqueue(process.pid, 'SIGRTMIN+1', value);
    for (const value of [3, 4]) sigqueue(process.pid, 'SIGRTMIN', value);
    threadKill(curthread(), 'SIGRTMIN+1', 5);
    assert.deepEqual(
      Array.from({ length: 5 }, () => sigwait(set).value),
      [5, 3, 4, 1, 2],
    );
  },

  'of several that wait one gets it, the one that has waited longest': () => {
    sigprocmask('block', 'SIGUSR1');
    const log = [];
    const tds = [1, 2, 3].map((n) =>
      started(() => {
        sigwait('SIGUSR1');
        log.push(n);
      }),
    );
    for (let n = 1; n <= 3; n++) {
      byKernel('SIGUSR1');
      until(() => log.length === n);
    }
    for (const td of tds) td.join();
    assert.deepEqual(log, [1, 2, 3]);
  },

  'what is for one thread only that one takes': () => {
    sigprocmask('block', 'SIGUSR1');
    const [a, b] = ['a', 'b'].map((name) =>
      started(() => {
        sigwait('SIGUSR1');
        return name;
      }),
    );
    threadKill(b, 'SIGUSR1');
    assert.equal(b.join(), 'b');
    assert.equal(a.state, 'blocked');
    kill(process.pid, 'SIGUSR1');
    assert.equal(a.join(), 'a');
  },

  'timeout: EAGAIN when none has come; 0 only looks': () => {
    sigprocmask('block', 'SIGUSR1');
    fails('EAGAIN', 'sigtimedwait', () => sigwait('SIGUSR1', { timeout: 0 }));
    const begun = performance.now();
    fails('EAGAIN', 'sigtimedwait', () => sigwait('SIGUSR1', { timeout: 20 }));
    assert.ok(performance.now() - begun >= 19);
    kill(process.pid, 'SIGUSR1');
    assert.equal(sigwait('SIGUSR1', { timeout: 0 }).signal, 'SIGUSR1');
  },

  'who has given up takes no signal along': () => {
    sigprocmask('block', 'SIGUSR1');
    fails('EAGAIN', 'sigtimedwait', () => sigwait('SIGUSR1', { timeout: 1 }));
    kill(process.pid, 'SIGUSR1');
    assert.ok(sigpending().has('SIGUSR1'));
    assert.equal(sigwait('SIGUSR1').signal, 'SIGUSR1');
  },

  'an AbortSignal and td.abort() end it': () => {
    const controller = new AbortController();
    const td = started(() => sigwait('SIGUSR1', { signal: controller.signal }));
    controller.abort('enough');
    assert.throws(() => td.join(), { name: 'AbortError', cause: 'enough' });
    const other = started(() => sigwait('SIGUSR1'));
    other.abort('mine');
    assert.throws(() => other.join(), { name: 'AbortError', cause: 'mine' });
  },

  'handlers of other signals run meanwhile, and it goes on waiting': () => {
    sigprocmask('block', 'SIGUSR1');
    const infos = noted('SIGUSR2', { restart: false });
    const td = started(() => sigwait('SIGUSR1'));
    threadKill(td, 'SIGUSR2');
    until(() => infos.length === 1);
    settle();
    assert.equal(td.state, 'blocked');
    kill(process.pid, 'SIGUSR1');
    td.join();
  },

  'who waits holds up no handler of another signal, and has it run neither on itself nor with its AsyncLocalStorage':
    () => {
      sigprocmask('block', 'SIGUSR1');
      const storage = new AsyncLocalStorage();
      const seen = [];
      sigaction('SIGUSR2', () => seen.push(`${curthread().name} ${storage.getStore()}`));
      const token = new Token('one');
      const waits = () => {
        sigwait('SIGUSR1');
        seen.push('waited');
      };
      const heard = () => {
        byKernel('SIGUSR2');
        while (seen.length === 0) yieldNow();
        assert.deepEqual(seen.splice(0), ['signals undefined']);
      };
      const tds = [
        storage.run('waiter', () => create(waits)),
        create(waits, { priority: 0 }), // it does not have its turn as long as others are runnable
        create(() => {
          const hold = token.get();
          waits();
          hold.release();
        }),
      ];
      settle();
      heard();
      sleep(1);
      assert.equal(tds[1].state, 'blocked');
      for (const _ of tds) {
        heard();
        kill(process.pid, 'SIGUSR1');
        until(() => seen.length > 0);
        assert.deepEqual(seen.splice(0), ['waited']);
      }
    },

  'a signal that is taken while others come is in its order with them': () => {
    const set = ['SIGRTMIN', 'SIGRTMIN+1'];
    sigprocmask('block', set);
    const infos = noted('SIGRTMIN+2');
    const td = started(() => Array.from({ length: 200 }, () => sigwait(set)));
    for (let i = 0; i < 100; i++) {
      sigqueue(process.pid, 'SIGRTMIN', i);
      onThread0(() => sigqueue(process.pid, 'SIGRTMIN+1', i));
      onThread0(() => sigqueue(process.pid, 'SIGRTMIN+2', i));
    }
    const taken = td.join();
    for (const signal of set)
      assert.deepEqual(
        taken.filter((info) => info.signal === signal).map(({ value }) => value),
        Array.from({ length: 100 }, (_, i) => i),
      );
    until(() => infos.length === 100);
    assert.ok(infos.every(({ value }, i) => value === i));
  },

  'where the handler throws what sigwait was given, another one has it': () => {
    sigprocmask('block', 'SIGUSR1');
    sigaction('SIGUSR2', () => {
      throw new RangeError('mine');
    });
    const td = started(() => sigwait('SIGUSR1'));
    kill(process.pid, 'SIGUSR1');
    threadKill(td, 'SIGUSR2');
    assert.throws(() => td.join(), RangeError);
    assert.equal(sigwait('SIGUSR1', { timeout: 0 }).signal, 'SIGUSR1');
  },

  'on thread0 it takes what is pending, and does not wait': () => {
    sigprocmask('block', 'SIGUSR1');
    kill(process.pid, 'SIGUSR1');
    assert.equal(onThread0(() => sigwait('SIGUSR1')).signal, 'SIGUSR1');
    onThread0(() => throwsCode('ERR_LWKT_WOULD_BLOCK', () => sigwait('SIGUSR1')));
    onThread0(() => fails('EAGAIN', 'sigtimedwait', () => sigwait('SIGUSR1', { timeout: 0 })));
    onThread0(() => throwsCode('ERR_LWKT_WOULD_BLOCK', () => sigsuspend()));
  },

  'it waits for a signal that is ignored, or ends the process, by its action': () => {
    sigaction('SIGUSR2', 'ignore');
    sigprocmask('block', ['SIGCHLD', 'SIGTERM']);
    const taken = (signal, send) => {
      const td = started(() => sigwait(signal).signal);
      assert.equal(td.state, 'blocked');
      send();
      assert.equal(td.join(), signal);
    };
    taken('SIGTERM', () => byKernel('SIGTERM'));
    taken('SIGUSR2', () => byKernel('SIGUSR2'));
    taken('SIGCHLD', () => fromOutside());
  },

  'SIGCHLD brings the child and how it ended': () => {
    sigprocmask('block', 'SIGCHLD');
    const pid = fromOutside();
    const info = sigwait('SIGCHLD');
    assert.deepEqual([info.pid, info.code, info.status], [pid, 1, 0]);
  },

  'sigsuspend: the mask is another while it waits, and the old one when it returns; the handler has run':
    () => {
      const log = [];
      sigaction('SIGUSR1', () => log.push([...sigprocmask()].join()));
      sigprocmask('block', ['SIGUSR1', 'SIGUSR2']);
      kill(process.pid, 'SIGUSR1');
      assert.deepEqual(log, []);
      sigsuspend(['SIGHUP']);
      assert.deepEqual(log, ['SIGHUP,SIGUSR1']);
      assert.deepEqual([...sigprocmask()], ['SIGUSR1', 'SIGUSR2']);
    },

  'sigsuspend: what is blocked by its mask does not end it': () => {
    const infos = noted('SIGUSR1');
    const other = noted('SIGUSR2');
    sigprocmask('block', ['SIGUSR1', 'SIGUSR2']);
    let over = false;
    const td = started(() => {
      sigsuspend(['SIGUSR2']);
      over = true;
    });
    kill(process.pid, 'SIGUSR2');
    sleep(5);
    assert.deepEqual([over, other.length], [false, 0]);
    const pid = fromOutside('SIGUSR1');
    td.join();
    assert.deepEqual([infos[0].pid, other.length], [pid, 0]);
    assert.ok(sigpending().has('SIGUSR2'));
  },

  'sigsuspend: an ignored signal does not end it': () => {
    sigaction('SIGUSR1', 'ignore');
    const td = started(() => sigsuspend([]));
    threadKill(td, 'SIGUSR1');
    byKernel('SIGUSR1');
    sleep(5);
    assert.equal(td.state, 'blocked');
    td.abort();
    assert.throws(() => td.join(), { name: 'AbortError' });
  },

  'sigsuspend without a mask waits with the one that there is (pause)': () => {
    let on;
    sigaction('SIGUSR1', () => {
      on = curthread();
    });
    const td = started(() => sigsuspend());
    threadKill(td, 'SIGUSR1');
    td.join();
    assert.equal(on, td);
    throwsCode('ERR_LWKT_TIMEOUT', () => sigsuspend(undefined, { timeout: 1 }));
  },

  'EINVAL for what nobody can wait for, and misuse has codes': () => {
    for (const set of ['SIGKILL', ['SIGUSR1', 'SIGSTOP'], 32, 33, 65])
      throwsCode('EINVAL', () => sigwait(set));
    throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => sigwait('SIGPROF'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigwait('SIGUSR1', { timeout: '1' }));
    throwsCode('ERR_OUT_OF_RANGE', () => sigwait('SIGUSR1', { timeout: -1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigwait(undefined));
    throwsCode('ERR_UNKNOWN_SIGNAL', () => sigsuspend('SIGFOO'));
  },
});
