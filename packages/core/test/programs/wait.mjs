// biome-ignore-all lint/suspicious/noThenProperty: ill-behaved thenables are a subject here
// wait(), sleep(), yieldNow(), timeouts, signals and abort(). See wait.test.ts.
import { create, curthread, Msg, MsgPort, run, sleep, wait, yieldNow } from '@libcr/core';
import { main, rejectionOf, scale, shown, thrownBy } from './check.mjs';

const never = () => new Promise(() => {});
/** Keeps the loop alive while threads wait for what never comes. */
const keepAlive = (ms = 1e6) => setTimeout(() => {}, ms);
/** Waits, on a userthread, until td is blocked. */
const untilBlocked = (td) => {
  while (td.state !== 'blocked') sleep(1);
};

/** What a thread that runs fn sees when it is aborted while blocked there. */
async function abortedIn(fn) {
  const timer = keepAlive();
  const reason = new Error('the reason');
  const td = create(() => {
    try {
      return { returned: fn() ?? null };
    } catch (error) {
      return { ...shown(error), cause: error.cause === reason };
    }
  });
  await run(() => {
    untilBlocked(td);
    td.abort(reason);
  });
  const seen = await td.finished;
  clearTimeout(timer);
  return seen;
}

/** What fn throws with a signal that is aborted already, and with one that is aborted while it waits. */
async function signalled(fn) {
  const timer = keepAlive();
  const early = await run(() => {
    try {
      fn(AbortSignal.abort('why early'));
    } catch (error) {
      return { ...shown(error), cause: error.cause };
    }
  });
  const controller = new AbortController();
  const td = create(() => {
    try {
      fn(controller.signal);
    } catch (error) {
      return { ...shown(error), cause: error.cause };
    }
  });
  await run(() => {
    untilBlocked(td);
    controller.abort('why late');
  });
  const late = await td.finished;
  clearTimeout(timer);
  return { early, late };
}

main({
  async values() {
    return run(() => [
      wait(1),
      wait('s'),
      wait(null),
      wait(undefined) ?? 'undefined',
      wait({ then: 'no function' }).then,
      wait(Promise.resolve('p')),
      wait(new Promise((resolve) => setTimeout(resolve, 2, 'later'))),
      wait((async () => 'async')()),
    ]);
  },

  async thenables() {
    return run(() => [
      wait({ then: (resolve) => resolve('sync') }),
      wait({ then: (resolve) => setTimeout(resolve, 1, 'async') }),
      wait({ then: (resolve) => resolve(Promise.resolve('chained')) }),
      wait({ then: (resolve) => resolve({ then: (r) => r('nested thenable') }) }),
      wait({
        then(resolve, reject) {
          resolve('first');
          resolve('second');
          reject(new Error('third'));
        },
      }),
      thrownBy(() => wait({ then: (_, reject) => reject(new Error('rejects')) })),
      thrownBy(() =>
        wait({
          then() {
            throw new Error('throws');
          },
        }),
      ),
    ]);
  },

  async saidTwice() {
    // as `await`: the first word counts, and a throw is a word
    const later = new Error('later');
    return run(() => [
      wait({
        then(resolve) {
          resolve(4);
          throw later;
        },
      }),
      wait({
        then(resolve) {
          resolve(new Promise((r) => setTimeout(r, 2, 'promised')));
          throw later;
        },
      }),
      thrownBy(() =>
        wait({
          then(_, reject) {
            reject(new Error('first'));
            throw later;
          },
        }),
      ),
      thrownBy(() =>
        wait({
          then(resolve, reject) {
            resolve({ then: (_, no) => no(new Error('nested')) });
            reject(later);
          },
        }),
      ),
    ]);
  },

  async thenGetter() {
    // read once, and what it throws is the rejection
    let reads = 0;
    const counted = (answer) => ({
      get then() {
        reads++;
        return (resolve) => resolve(answer);
      },
    });
    const throws = {
      get then() {
        throw new Error('from the getter');
      },
    };
    return run(() => [
      wait(counted(counted('value'))),
      reads,
      thrownBy(() => wait(throws)),
      thrownBy(() => wait(counted(throws))),
    ]);
  },

  async longChain() {
    // no recursion: the stack would end after a few thousand
    let steps = scale(20_000, 5000);
    const thenable = { then: (resolve) => resolve(--steps > 0 ? thenable : 'end') };
    return run(() => wait(thenable));
  },

  async oneDeadline() {
    const step = (left) => ({
      then: (resolve) => setTimeout(() => resolve(left > 1 ? step(left - 1) : 'all steps'), 30),
    });
    return run(() => [
      thrownBy(() => wait(step(5), { timeout: 40 })),
      wait(step(3), { timeout: 1e6 }),
      wait(step(2)),
    ]);
  },

  async endlessThenable() {
    // resolves to itself: never settles, and does not stop the event loop
    const endless = {
      then(resolve) {
        resolve(endless);
      },
    };
    let ticks = 0;
    const interval = setInterval(() => ticks++, 1);
    const seen = await run(() => thrownBy(() => wait(endless, { timeout: 20 })));
    const signal = await signalled((s) => wait(endless, { signal: s }));
    const abort = await abortedIn(() => wait(endless));
    clearInterval(interval);
    const own = await run(() => {
      let settle;
      const promise = new Promise((resolve) => {
        settle = resolve;
      });
      settle(promise);
      return thrownBy(() => wait(promise));
    });
    return {
      timeout: seen,
      signal,
      abort,
      ticks: ticks > 0,
      own,
    };
  },

  async givenUp() {
    // what a thenable comes to after the wait was given up is nobody's, but not unhandled
    const unhandled = [];
    process.on('unhandledRejection', (reason) => unhandled.push(reason.message));
    const rejected = () => Promise.reject(new Error('too late'));
    let asked = 0;
    const foreign = {
      then(_, reject) {
        asked++;
        reject(new Error('too late as well'));
      },
    };
    const late = []; // settled when the waits have been given up
    const waited = (value) => () =>
      wait({ then: (resolve) => late.push(() => resolve(value())) }, { timeout: 1 });
    const seen = await run(() => [thrownBy(waited(rejected)).code, thrownBy(waited(() => foreign)).code]);
    for (const settle of late) settle();
    await run(() => {
      for (let i = 0; i < 1000 && asked === 0; i++) sleep(1);
      sleep(1);
    });
    return { seen, asked, unhandled };
  },

  async rejection() {
    const reason = new TypeError('from afar');
    function callerOfWait() {
      return wait(
        new Promise((_, reject) => {
          setTimeout(reject, 1, reason);
        }),
      );
    }
    return run(() => {
      try {
        callerOfWait();
      } catch (error) {
        return { same: error === reason, stack: error.stack };
      }
    });
  },

  async oddRejections() {
    const frozen = Object.freeze(new Error('frozen'));
    return run(() => {
      const results = [undefined, null, 0, 'text', frozen].map((reason) => {
        try {
          return wait(Promise.reject(reason));
        } catch (error) {
          return error === reason;
        }
      });
      const again = new Error('twice');
      for (let i = 0; i < 3; i++)
        try {
          wait(Promise.reject(again));
        } catch {}
      return { results, waits: again.stack.match(/at wait \(userthread/g).length };
    });
  },

  async manyWaitOnOne() {
    let settle;
    const promise = new Promise((resolve) => {
      settle = resolve;
    });
    const tds = Array.from({ length: 100 }, (_, i) => create(() => wait(promise) + i));
    await run(() => sleep(1));
    settle(1000);
    const values = await Promise.all(tds.map((td) => td.finished));
    return values.every((v, i) => v === 1000 + i);
  },

  async timeout() {
    const timer = keepAlive();
    const result = await run(() => ({
      wait: thrownBy(() => wait(never(), { timeout: 3 })),
      zero: thrownBy(() => wait(never(), { timeout: 0 })),
      inTime: wait(Promise.resolve('in time'), { timeout: 1e6 }),
      port: thrownBy(() => new MsgPort('p').waitport({ timeout: 3 })),
      usable: sleep(1) ?? 'still usable',
    }));
    clearTimeout(timer);
    return result;
  },

  async signalWait() {
    return signalled((signal) => wait(never(), { signal }));
  },
  async signalSleep() {
    return signalled((signal) => sleep(1e8, { signal }));
  },
  async signalDomsg() {
    const port = new MsgPort('unserved', { shared: true });
    return signalled((signal) => port.domsg(new Msg(1), { signal }));
  },
  async signalWaitport() {
    return signalled((signal) => new MsgPort('empty').waitport({ signal }));
  },
  async signalJoin() {
    const other = create(() => wait(never()), { daemon: true });
    return signalled((signal) => other.join({ signal }));
  },

  async signalCreate() {
    const timer = keepAlive();
    const controller = new AbortController();
    const log = [];
    const late = create(
      () => {
        try {
          wait(never());
        } finally {
          log.push('finally');
        }
      },
      { signal: controller.signal },
    );
    const early = create(() => log.push('ran'), { signal: AbortSignal.abort('gone') });
    const rejections = Promise.all([rejectionOf(late.finished), rejectionOf(early.finished)]);
    await run(() => {
      untilBlocked(late);
      controller.abort('enough');
    });
    const [a, b] = await rejections;
    const causes = await Promise.all([late, early].map((td) => td.finished.catch((e) => e.cause)));
    clearTimeout(timer);
    return { a, b, causes, log };
  },

  async signalAfterEnd() {
    const controller = new AbortController();
    const td = create(() => 'done', { signal: controller.signal });
    await td.finished;
    controller.abort();
    return td.join();
  },

  async listenersRemoved() {
    const { getEventListeners } = await import('node:events');
    const controller = new AbortController();
    await run(() => {
      for (let i = 0; i < 20; i++) {
        wait(new Promise((resolve) => setImmediate(resolve)), { signal: controller.signal });
        sleep(0, { signal: controller.signal });
      }
    });
    return getEventListeners(controller.signal, 'abort').length;
  },

  abortWait: () => abortedIn(() => wait(never())),
  abortSleep: () => abortedIn(() => sleep(1e8)),
  abortDomsg: () => abortedIn(() => new MsgPort('unserved', { shared: true }).domsg(new Msg(1))),
  abortWaitmsg: () =>
    abortedIn(() => {
      const msg = new Msg(1);
      new MsgPort('unserved').sendmsg(msg);
      msg.waitmsg();
    }),
  abortWaitport: () => abortedIn(() => new MsgPort('empty').waitport()),
  abortIteration: () =>
    abortedIn(() => {
      for (const msg of new MsgPort('empty')) throw new Error(`${msg} from nowhere`);
    }),
  abortJoin: () => {
    const other = create(() => wait(never()), { daemon: true });
    return abortedIn(() => other.join());
  },

  async abortBeforeStart() {
    const log = [];
    const td = create(() => log.push('ran'));
    td.abort('early');
    const seen = await rejectionOf(td.finished);
    return { log, seen, state: td.state };
  },

  async abortUnjoined() {
    const td = create(() => sleep(1e8));
    await run(() => {
      untilBlocked(td);
      td.abort();
    });
    while (td.state !== 'finished') await new Promise(setImmediate);
    return td.state;
  },

  async abortRunnable() {
    // yields for ever: the next yield throws
    const td = create(() => {
      for (;;) yieldNow();
    });
    setTimeout(() => td.abort('stop it'), 5);
    return rejectionOf(td.finished);
  },

  async abortSelf() {
    return run(() => {
      curthread().abort('myself');
      return [thrownBy(() => sleep(1)), thrownBy(() => sleep(1))];
    });
  },

  async abortCaughtOnce() {
    // one abort is one error: who catches it goes on and may block
    const td = create(() => {
      const first = thrownBy(() => sleep(1e8));
      sleep(1);
      return [first.code, wait(Promise.resolve('goes on'))];
    });
    await run(() => {
      untilBlocked(td);
      td.abort();
    });
    return td.finished;
  },

  async abortInFinally() {
    const log = [];
    const td = create(() => {
      try {
        sleep(1e8);
      } finally {
        sleep(2);
        log.push(wait(new Promise((resolve) => setTimeout(resolve, 2, 'cleaned up'))));
      }
    });
    const seen = rejectionOf(td.finished);
    await run(() => {
      untilBlocked(td);
      td.abort();
    });
    return { seen: await seen, log };
  },

  async abortTwice() {
    const td = create(() => {
      try {
        sleep(1e8);
      } catch (first) {
        try {
          sleep(1e8);
        } catch (second) {
          return [first.cause, second.cause];
        }
      }
    });
    await run(() => {
      untilBlocked(td);
      td.abort(1);
      while (td.waitReason !== 'sleep 100000000 ms') sleep(1);
      yieldNow();
      yieldNow();
      untilBlocked(td);
      td.abort(2);
    });
    return td.finished;
  },

  async abortFinished() {
    const td = create(() => 'ok');
    await td.finished;
    td.abort();
    return td.join();
  },

  async abortThread0() {
    return thrownBy(() => curthread().abort());
  },

  async thread0() {
    const port = new MsgPort('p');
    const pending = create(() => 1);
    const queued = new Msg(1);
    port.sendmsg(queued);
    const got = {
      wait: thrownBy(() => wait(Promise.resolve(1))),
      value: wait('a plain value'),
      sleep: thrownBy(() => sleep(1)),
      yieldNow: thrownBy(() => yieldNow()),
      join: thrownBy(() => pending.join()),
      domsg: thrownBy(() => port.domsg(new Msg(1))),
      waitmsg: thrownBy(() => queued.waitmsg()),
      waitport: thrownBy(() => new MsgPort('empty').waitport()),
      iterate: thrownBy(() => [...new MsgPort('empty')]),
      inTimer: await new Promise((resolve) => setTimeout(() => resolve(thrownBy(() => sleep(1))), 1)),
      inMicrotask: await Promise.resolve().then(() => thrownBy(() => wait(Promise.resolve()))),
    };
    await pending.finished;
    return got;
  },

  async yieldAfterCreate() {
    const log = [];
    await run(() => {
      create(() => log.push('child'));
      yieldNow();
      log.push('after one yield');
    });
    return log;
  },

  async yieldAfterWake() {
    const log = [];
    const port = new MsgPort('p');
    const server = create(() => {
      for (const msg of port) log.push(`server got ${msg.data}`);
    });
    await run(() => {
      sleep(1); // the server waits on its port by now
      port.sendmsg(new Msg(1));
      yieldNow();
      log.push('after one yield');
      port.close();
    });
    await server.finished;
    return log;
  },

  async yieldAlone() {
    return run(() => {
      for (let i = 0; i < 100; i++) yieldNow();
      return 'alone';
    });
  },

  async wrongArguments() {
    const td = create(() => sleep(1));
    return run(() => ({
      sleepString: thrownBy(() => sleep('1')),
      sleepNegative: thrownBy(() => sleep(-1)),
      sleepNaN: thrownBy(() => sleep(Number.NaN)),
      sleepTooLong: thrownBy(() => sleep(2 ** 31)),
      timeoutString: thrownBy(() => wait(never(), { timeout: '1' })),
      timeoutNegative: thrownBy(() => wait(never(), { timeout: -1 })),
      timeoutTooLong: thrownBy(() => wait(never(), { timeout: 2 ** 31 })),
      signalNotOne: thrownBy(() => wait(never(), { signal: {} })),
      optionsNull: thrownBy(() => wait(never(), null)),
      createNothing: thrownBy(() => create()),
      createName: thrownBy(() => create(never, { name: 1 })),
      createPriority: thrownBy(() => create(never, { priority: 32 })),
      createPriorityHalf: thrownBy(() => create(never, { priority: 1.5 })),
      createPriorityString: thrownBy(() => create(never, { priority: '1' })),
      createStackSmall: thrownBy(() => create(never, { stackSize: 131071 })),
      createStackBig: thrownBy(() => create(never, { stackSize: 2 ** 26 + 1 })),
      createStackString: thrownBy(() => create(never, { stackSize: '262144' })),
      createSignal: thrownBy(() => create(never, { signal: 'no' })),
      createOptions: thrownBy(() => create(never, null)),
      setPriority: thrownBy(() => {
        td.priority = -1;
      }),
    }));
  },

  async loopCallbacksDuringWait() {
    // a timer that fires while a thread sleeps runs on thread0, not on the thread
    const ids = [];
    setTimeout(() => ids.push(curthread().id), 1);
    setImmediate(() => ids.push(curthread().id));
    process.nextTick(() => ids.push(curthread().id));
    Promise.resolve().then(() => ids.push(curthread().id));
    await run(() => {
      sleep(20);
    });
    return ids;
  },
});
