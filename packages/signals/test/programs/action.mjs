// What the standard says of sigaction, kill, raise, sigqueue and handlers. See conformance.test.ts.
import './error-maps.mjs'; // before all that it counts for

import { AsyncLocalStorage } from 'node:async_hooks';
import { create, curthread, preemptible, sleep, Token, wait, yieldNow } from '@libcr/core';
import {
  kill,
  SI_QUEUE,
  SI_TKILL,
  SI_USER,
  sigaction,
  sigpending,
  sigprocmask,
  sigqueue,
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
import { maps } from './error-maps.mjs';

await conform({
  'a handler gets the signal, why it was sent, and by whom': () => {
    const infos = noted('SIGUSR1');
    const pid = fromOutside('SIGUSR1');
    until(() => infos.length === 1);
    const [{ signal, signo, code, uid, ...rest }] = infos;
    assert.deepEqual([signal, signo, code, uid, rest.pid], ['SIGUSR1', 10, SI_USER, process.getuid(), pid]);
  },

  'a handler runs on a userthread, which may wait': () => {
    let name;
    sigaction('SIGUSR1', () => {
      sleep(1);
      name = curthread().name;
    });
    byKernel('SIGUSR1');
    until(() => name !== undefined);
    assert.equal(name, 'signals');
  },

  'a signal that a thread sends to its own process and does not block is delivered to it before kill() returns':
    () => {
      let td;
      sigaction('SIGUSR1', () => {
        td = curthread();
      });
      kill(process.pid, 'SIGUSR1');
      assert.equal(td, curthread());
      td = undefined;
      sigqueue(process.pid, 'SIGUSR1', 3);
      assert.equal(td, curthread());
    },

  'raise: the handler has run when it returns': () => {
    const infos = noted('SIGUSR2');
    threadKill(curthread(), 'SIGUSR2');
    assert.deepEqual(
      infos.map(({ code, pid }) => [code, pid]),
      [[SI_TKILL, process.pid]],
    );
  },

  'from the event loop, kill() of the own process has a handler run on a userthread': () => {
    let td;
    sigaction('SIGUSR1', () => {
      td = curthread();
    });
    onThread0(() => kill(process.pid, 'SIGUSR1'));
    until(() => td !== undefined);
    assert.notEqual(td.id, 0);
  },

  'the signal itself is blocked while its handler runs': () => {
    let depth = 0;
    let most = 0;
    let count = 0;
    sigaction('SIGUSR1', () => {
      most = Math.max(most, ++depth);
      if (count++ === 0) kill(process.pid, 'SIGUSR1');
      depth--;
    });
    kill(process.pid, 'SIGUSR1');
    assert.deepEqual([count, most], [2, 1]);
  },

  'so is what the mask names, and nothing else': () => {
    const log = [];
    sigaction('SIGUSR2', () => log.push('masked'));
    sigaction('SIGHUP', () => log.push('other'));
    sigaction(
      'SIGUSR1',
      () => {
        kill(process.pid, 'SIGUSR2');
        kill(process.pid, 'SIGHUP');
        log.push('end');
      },
      { mask: ['SIGUSR2'] },
    );
    kill(process.pid, 'SIGUSR1');
    assert.deepEqual(log, ['other', 'end', 'masked']);
  },

  'the mask is put back when the handler returns, also where it throws': () => {
    sigprocmask('block', 'SIGHUP');
    sigaction(
      'SIGUSR1',
      () => {
        assert.deepEqual([...sigprocmask()], ['SIGHUP', 'SIGUSR1', 'SIGUSR2']);
        sigprocmask('block', 'SIGTERM');
        throw new RangeError('mine');
      },
      { mask: 'SIGUSR2' },
    );
    assert.throws(() => kill(process.pid, 'SIGUSR1'), RangeError);
    assert.deepEqual([...sigprocmask()], ['SIGHUP']);
  },

  'what comes from outside while its handler waits is delivered once, afterwards': () => {
    let inside = 0;
    let go = false;
    const infos = noted('SIGUSR1', {}, () => {
      assert.equal(inside++, 0);
      until(() => go);
      inside--;
    });
    byKernel('SIGUSR1');
    until(() => infos.length === 1);
    for (let i = 0; i < 3; i++) fromOutside('SIGUSR1');
    assert.equal(infos.length, 1);
    go = true;
    until(() => infos.length === 2);
    sleep(5);
    assert.equal(infos.length, 2, 'standard signals are merged');
  },

  'another signal has its handler run while one waits': () => {
    let go = false;
    const first = noted('SIGUSR1', {}, () => until(() => go));
    const second = noted('SIGUSR2');
    byKernel('SIGUSR1');
    until(() => first.length === 1);
    byKernel('SIGUSR2');
    until(() => second.length === 1);
    go = true;
  },

  'a handler may be async: it has ended when its promise is settled': () => {
    let over = 0;
    const infos = noted('SIGUSR1', {}, async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      over++;
    });
    kill(process.pid, 'SIGUSR1');
    assert.equal(over, 1);
    byKernel('SIGUSR1');
    until(() => infos.length === 2);
    byKernel('SIGUSR1');
    until(() => over === 3);
  },

  'once: the action is the default one as soon as the handler begins': () => {
    let during;
    sigaction(
      'SIGURG',
      () => {
        during = sigaction('SIGURG').handler;
      },
      { once: true },
    );
    kill(process.pid, 'SIGURG');
    assert.equal(during, 'default');
    during = undefined;
    kill(process.pid, 'SIGURG');
    assert.equal(during, undefined);
    sigaction('SIGURG', () => {
      during = 'again';
    });
    byKernel('SIGURG');
    until(() => during === 'again');
  },

  'ignore: the signal does nothing, and what is pending of it is gone': () => {
    sigaction('SIGTERM', 'ignore');
    kill(process.pid, 'SIGTERM');
    threadKill(curthread(), 'SIGTERM');
    fromOutside('SIGTERM');
    sigaction('SIGRTMIN', 'ignore');
    sigqueue(process.pid, 'SIGRTMIN', 1);
    const infos = noted('SIGUSR1');
    sigprocmask('block', 'SIGUSR1');
    kill(process.pid, 'SIGUSR1');
    threadKill(curthread(), 'SIGUSR1');
    assert.ok(sigpending().has('SIGUSR1'));
    sigaction('SIGUSR1', 'ignore');
    sigaction('SIGUSR1', () => infos.push('late'));
    sigprocmask('unblock', 'SIGUSR1');
    settle();
    assert.deepEqual(infos, []);
  },

  'default, where that is to ignore: what is pending is gone': () => {
    const infos = noted('SIGWINCH');
    sigprocmask('block', 'SIGWINCH');
    kill(process.pid, 'SIGWINCH');
    sigaction('SIGWINCH', 'default');
    sigaction('SIGWINCH', (info) => infos.push(info));
    sigprocmask('unblock', 'SIGWINCH');
    settle();
    assert.equal(infos.length, 0);
  },

  'it says what the action was, and without a handler what it is': () => {
    const handler = () => {};
    assert.equal(sigaction('SIGUSR1').handler, 'default');
    const first = sigaction('SIGUSR1', handler, { mask: ['SIGHUP'], restart: false, once: true });
    assert.equal(first.previous.handler, 'default');
    const { mask, ...rest } = sigaction('SIGUSR1');
    assert.deepEqual([[...mask], rest], [['SIGHUP'], { handler, restart: false, once: true }]);
    assert.equal(sigaction('SIGUSR1', 'ignore').previous.handler, handler);
    assert.equal(sigaction('SIGUSR1', 'default').previous.handler, 'ignore');
  },

  'dispose puts back what was before, if it is the action still': () => {
    const [a, b] = [() => {}, () => {}];
    sigaction('SIGUSR1', a, { mask: 'SIGHUP' });
    const action = sigaction('SIGUSR1', b);
    assert.equal(String(action), 'SignalAction SIGUSR1');
    action[Symbol.dispose]();
    assert.equal(sigaction('SIGUSR1').handler, a);
    assert.deepEqual([...sigaction('SIGUSR1').mask], ['SIGHUP']);
    assert.equal(action.active, false);
    sigaction('SIGUSR1', b);
    action[Symbol.dispose]();
    assert.equal(sigaction('SIGUSR1').handler, b);
    const ignored = sigaction('SIGUSR1', 'ignore');
    const byDefault = sigaction('SIGUSR1', 'default');
    assert.deepEqual([ignored.active, byDefault.active], [false, true]);
    ignored[Symbol.dispose]();
    byDefault[Symbol.dispose]();
    assert.equal(sigaction('SIGUSR1').handler, 'ignore');
    const again = sigaction('SIGUSR1', 'ignore');
    sigaction('SIGUSR1', b);
    again[Symbol.dispose]();
    assert.equal(sigaction('SIGUSR1').handler, b);
  },

  'of real-time signals each arrives, in its order, with its value': () => {
    const infos = noted('SIGRTMIN+1');
    sigprocmask('block', 'SIGRTMIN+1');
    for (let i = 0; i < 2000; i++) sigqueue(process.pid, 'SIGRTMIN+1', i);
    assert.equal(infos.length, 0);
    sigprocmask('unblock', 'SIGRTMIN+1');
    until(() => infos.length === 2000);
    assert.ok(infos.every(({ value, code }, i) => value === i && code === SI_QUEUE));
  },

  'of several that are pending the lowest number comes first': () => {
    const order = [];
    const set = ['SIGRTMIN+3', 'SIGRTMIN+2', 'SIGRTMIN+1'];
    sigprocmask('block', set);
    for (const signal of set)
      sigaction(signal, ({ value }) => order.push(`${signal} ${value}`), { mask: set });
    for (let i = 0; i < 2; i++) for (const signal of set) threadKill(curthread(), signal, i);
    sigprocmask('unblock', set);
    assert.deepEqual(order, [
      'SIGRTMIN+1 0',
      'SIGRTMIN+1 1',
      'SIGRTMIN+2 0',
      'SIGRTMIN+2 1',
      'SIGRTMIN+3 0',
      'SIGRTMIN+3 1',
    ]);
  },

  'a value may have 64 bits': () => {
    const infos = noted('SIGUSR1');
    for (const value of [-5, 2 ** 31 - 1, 0x123456789abcdefn, -1n]) sigqueue(process.pid, 'SIGUSR1', value);
    assert.deepEqual(
      infos.map(({ value, pointer }) => [value, pointer & 0xffffffffn, pointer >> 32n]),
      [
        [-5, 0xfffffffbn, infos[0].pointer >> 32n],
        [2147483647, 0x7fffffffn, 0n],
        [-1985229329, 0x89abcdefn, 0x1234567n],
        [-1, 0xffffffffn, 0xffffffffn],
      ],
    );
    threadKill(curthread(), 'SIGUSR1', 2n ** 40n);
    assert.deepEqual([infos[4].value, infos[4].pointer, infos[4].code], [0, 2n ** 40n, SI_QUEUE]);
  },

  'threadKill: the handler runs on that thread, where it waits, and then the wait goes on': () => {
    let on;
    sigaction('SIGUSR1', () => {
      on = curthread();
      sleep(1);
    });
    let woken = false;
    const before = performance.now();
    const td = started(() => {
      sleep(30);
      woken = performance.now() - before >= 29;
    });
    threadKill(td, 'SIGUSR1');
    until(() => on !== undefined);
    assert.equal(on, td);
    td.join();
    assert.equal(woken, true);
  },

  'threadKill: it runs before the thread goes on, if that has been woken already': () => {
    const log = [];
    sigaction('SIGUSR1', () => log.push('handler'));
    let go;
    const td = started(() => {
      wait(
        new Promise((resolve) => {
          go = resolve;
        }),
      );
      log.push('goes on');
    });
    go();
    threadKill(td, 'SIGUSR1');
    td.join();
    assert.deepEqual(log, ['handler', 'goes on']);
  },

  'threadKill: a thread that has not begun runs the handler first': () => {
    const log = [];
    sigaction('SIGUSR1', () => log.push('handler'));
    const td = create(() => log.push('main'));
    threadKill(td, 'SIGUSR1');
    td.join();
    assert.deepEqual(log, ['handler', 'main']);
  },

  'threadKill: what the handler throws the wait throws': () => {
    sigaction('SIGUSR1', () => {
      throw new RangeError('mine');
    });
    const td = started(() => {
      try {
        sleep(60_000);
      } catch (error) {
        return error.message;
      }
    });
    threadKill(td, 'SIGUSR1');
    assert.equal(td.join(), 'mine');
  },

  'threadKill: a thread that has been preempted has its handler run meanwhile': () => {
    let stop = false;
    let on;
    sigaction('SIGUSR1', () => {
      on = curthread();
      stop = true;
    });
    const td = create(() =>
      preemptible(() => {
        while (!stop);
      }),
    );
    until(() => td.preemptions > 0);
    threadKill(td, 'SIGUSR1');
    td.join();
    assert.notEqual(on, td);
  },

  'threadKill: a thread that regains its tokens runs the handler when it has them': () => {
    const token = new Token('one');
    let held;
    sigaction('SIGUSR1', () => {
      held = token.holders ?? true;
    });
    let go = false;
    const td = started(() => {
      const hold = token.get();
      until(() => go);
      hold.release();
    });
    const other = started(() => {
      const hold = token.get();
      yieldNow();
      go = true;
      threadKill(td, 'SIGUSR1');
      sleep(2);
      hold.release();
    });
    other.join();
    td.join();
    assert.ok(held !== undefined);
  },

  'threadKill: to thread0, a userthread stands in': () => {
    let on;
    sigaction('SIGUSR1', () => {
      on = curthread();
    });
    const zero = onThread0(() => curthread());
    threadKill(zero, 'SIGUSR1');
    until(() => on !== undefined);
    assert.equal(on.name, 'signals for thread0');
  },

  'a userthread that a handler creates does not inherit what is blocked for the handler': () => {
    let inherited;
    sigaction('SIGUSR1', () => {
      create(() => {
        inherited = [...sigprocmask()];
      });
    });
    byKernel('SIGUSR1');
    until(() => inherited !== undefined);
    assert.deepEqual(inherited, []);
  },

  'AsyncLocalStorage: a handler that runs on the thread it is for has the store of that thread': () => {
    const storage = new AsyncLocalStorage();
    let seen;
    sigaction('SIGUSR1', () => {
      seen = storage.getStore();
    });
    const td = storage.run('mine', () => started(() => sleep(60_000)));
    threadKill(td, 'SIGUSR1');
    until(() => seen !== undefined);
    assert.equal(seen, 'mine');
    td.abort();
  },

  'an error does not have Node make its table of all errors anew': () => {
    for (let i = 0; i < 3; i++) fails('ESRCH', 'kill', () => kill(2 ** 22 + 1, 'SIGTERM'));
    assert.equal(maps.made, 1);
  },

  'kill: 0 only looks, ESRCH and EINVAL as the standard has them': () => {
    kill(process.pid, 0);
    sigqueue(process.pid, 0);
    threadKill(curthread(), 0);
    fails('ESRCH', 'kill', () => kill(2 ** 22 + 1, 'SIGTERM'));
    fails('ESRCH', 'sigqueue', () => sigqueue(2 ** 22 + 1, 'SIGTERM'));
    fails('EINVAL', 'kill', () => kill(process.pid, 65));
    fails('EINVAL', 'sigqueue', () => sigqueue(process.pid, -1));
    const td = started(() => {});
    fails('ESRCH', 'pthread_kill', () => threadKill(td, 'SIGTERM'));
    fails('EINVAL', 'pthread_kill', () => threadKill(curthread(), 65));
  },

  'EINVAL for signals that nobody can handle': () => {
    for (const signal of ['SIGKILL', 'SIGSTOP', 32, 33, 0, 65, -1]) {
      fails('EINVAL', 'sigaction', () => sigaction(signal, () => {}));
    }
    throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => sigaction('SIGPROF', () => {}));
    assert.equal(sigaction('SIGKILL').handler, 'default');
  },

  'misuse is an error with a code, and changes nothing': () => {
    throwsCode('ERR_UNKNOWN_SIGNAL', () => sigaction('SIGFOO', () => {}));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction(undefined, () => {}));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction('SIGUSR1', undefined));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction('SIGUSR1', 'Ignore'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction('SIGUSR1', () => {}, null));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction('SIGUSR1', () => {}, { restart: 1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigaction('SIGUSR1', () => {}, { mask: 15n }));
    throwsCode('ERR_UNKNOWN_SIGNAL', () => sigaction('SIGUSR1', () => {}, { mask: ['SIGFOO'] }));
    assert.throws(() => sigaction('SIGUSR1', () => {}, { mask: null }), /"options\.mask"/);
    throwsCode('ERR_OUT_OF_RANGE', () => sigaction(1.5, () => {}));
    throwsCode('ERR_INVALID_ARG_TYPE', () => kill('1', 'SIGUSR1'));
    throwsCode('ERR_OUT_OF_RANGE', () => kill(2 ** 31, 'SIGUSR1'));
    throwsCode('ERR_OUT_OF_RANGE', () => sigqueue(process.pid, 'SIGUSR1', 2 ** 31));
    throwsCode('ERR_OUT_OF_RANGE', () => sigqueue(process.pid, 'SIGUSR1', 2n ** 64n));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigqueue(process.pid, 'SIGUSR1', '1'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => threadKill({}, 'SIGUSR1'));
    assert.equal(sigaction('SIGUSR1').handler, 'default');
  },

  'a fault that kill() or threadKill() sends here has its handler, as any signal': () => {
    const infos = noted('SIGSEGV');
    kill(process.pid, 'SIGSEGV');
    threadKill(curthread(), 'SIGSEGV');
    sigqueue(process.pid, 'SIGSEGV', 4);
    onThread0(() => kill(process.pid, 'SIGSEGV'));
    until(() => infos.length === 4);
    assert.deepEqual(
      infos.map(({ code }) => code),
      [SI_USER, SI_TKILL, SI_QUEUE, SI_USER],
    );
  },
});
