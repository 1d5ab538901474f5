// The life of a userthread: create, order, join, finished, state, inspection. See api.test.ts.
import { inspect } from 'node:util';
import {
  create,
  curthread,
  PRIORITY_DEFAULT,
  PRIORITY_MAX,
  PRIORITY_MIN,
  run,
  sleep,
  stats,
  UserThread,
  userthreads,
  wait,
  yieldNow,
} from '@libcr/core';
import { main, overflow, rejectionOf, shown, thrownBy } from './check.mjs';

main({
  async createAndFinish() {
    const log = [];
    const td = create(() => {
      log.push('runs');
      return 42;
    });
    log.push('created');
    const value = await td.finished;
    return { log, value, again: await td.finished, joined: td.join(), state: td.state };
  },

  async curthread() {
    const zero = curthread();
    const td = create(
      () => ({
        same: curthread() === td,
        id: curthread().id,
        name: curthread().name,
        errno: curthread().errno,
      }),
      { name: 'me' },
    );
    return {
      zero: { id: zero.id, name: zero.name, state: zero.state, isThread: zero instanceof UserThread },
      inside: await td.finished,
      outsideAgain: curthread() === zero,
      id: td.id,
      isThread: td instanceof UserThread,
    };
  },

  async roundRobin() {
    const log = [];
    const tds = ['a', 'b', 'c'].map((name) =>
      create(() => {
        for (let i = 0; i < 3; i++) {
          log.push(name + i);
          yieldNow();
        }
      }),
    );
    await Promise.all(tds.map((td) => td.finished));
    return log;
  },

  async priorities() {
    const log = [];
    const tds = [
      ['low', PRIORITY_MIN],
      ['mid', PRIORITY_DEFAULT],
      ['high', PRIORITY_MAX],
      ['mid2', undefined],
    ].map(([name, priority]) =>
      create(
        () => {
          log.push(`${name} ${curthread().priority}`);
          yieldNow();
          log.push(name);
        },
        { priority },
      ),
    );
    await Promise.all(tds.map((td) => td.finished));
    return log;
  },

  async setPriority() {
    const log = [];
    const a = create(() => log.push('a'), { priority: 5 });
    const b = create(() => log.push('b'), { priority: 5 });
    b.priority = 9; // on the run queue already: it overtakes
    await Promise.all([a.finished, b.finished]);
    const c = create(() => {
      curthread().priority = 1;
      const d = create(() => log.push('d'), { priority: 2 });
      yieldNow();
      log.push('c');
      d.join();
    });
    await c.finished;
    return { log, b: b.priority, c: c.priority };
  },

  async joinValue() {
    return run(() => {
      const child = create(() => {
        sleep(5);
        return { deep: ['value'] };
      });
      return { joined: child.join(), again: child.join(), state: child.state };
    });
  },

  async joinThrows() {
    return run(() => {
      const error = new TypeError('mine');
      const child = create(() => {
        yieldNow();
        throw error;
      });
      let same = 0;
      for (let i = 0; i < 2; i++)
        try {
          child.join();
        } catch (caught) {
          if (caught === error) same++;
        }
      return same;
    });
  },

  async joinSeveral() {
    const td = create(() => {
      sleep(5);
      return 'x';
    });
    const joiners = [1, 2, 3].map((i) => create(() => td.join() + i));
    return Promise.all(joiners.map((j) => j.finished));
  },

  async joinTimeout() {
    let settle;
    const promise = new Promise((resolve) => {
      settle = resolve;
    });
    const slow = create(() => wait(promise));
    return run(() => {
      const early = thrownBy(() => slow.join({ timeout: 5 }));
      settle('late');
      return { early, late: slow.join() };
    });
  },

  async joinWrong() {
    const self = create(() => thrownBy(() => self.join()));
    const zero = curthread();
    const pending = create(() => 1);
    const pendingOnZero = thrownBy(() => pending.join());
    return {
      self: await self.finished,
      zeroJoined: await run(() => thrownBy(() => zero.join())),
      onZero: thrownBy(() => zero.join()),
      pendingOnZero,
      afterOnZero: (await pending.finished) && pending.join(),
    };
  },

  async names() {
    const long = 'n'.repeat(200);
    const tds = [
      create(() => 1),
      create(() => 1, { name: 'näme ✓' }),
      create(() => 1, { name: long }),
      create(() => 1, { name: '' }),
    ];
    await Promise.all(tds.map((td) => td.finished));
    return {
      names: tds.map((td) => td.name),
      long: tds[2].name === long,
      ids: new Set(tds.map((td) => td.id)).size,
    };
  },

  async states() {
    const seen = [];
    const look = (td) => seen.push([td.state, td.waitReason ?? null]);
    let settle;
    const promise = new Promise((resolve) => {
      settle = resolve;
    });
    const td = create(() => {
      look(td);
      wait(promise);
      try {
        sleep(1e8);
      } catch {
        return 'aborted';
      }
    });
    look(td);
    const joiner = create(() => td.join());
    await run(() => {
      const until = (what) => {
        while (td.waitReason !== what || !joiner.waitReason) sleep(1);
      };
      until('promise');
      look(td);
      look(joiner);
      settle();
      until('sleep 100000000 ms');
      look(td);
      td.abort();
      joiner.join();
      look(td);
      look(joiner);
    });
    return { seen, id: td.id };
  },

  async userthreads() {
    const before = userthreads().length;
    const a = create(() => sleep(50), { name: 'a' });
    const b = create(() => sleep(50), { name: 'b' });
    const during = userthreads().map((td) => td.name);
    const alive = stats().alive;
    await Promise.all([a.finished, b.finished]);
    return { before, during, alive, after: userthreads().length, aliveAfter: stats().alive };
  },

  async inspection() {
    const { Msg, MsgPort } = await import('@libcr/core');
    const td = create(() => void thrownBy(() => sleep(1e6)), { name: 'insp' });
    const zero = inspect(curthread());
    const runnable = inspect(td);
    const blocked = await run(() => {
      sleep(1);
      return inspect(td);
    });
    td.abort();
    await td.finished;
    const port = new MsgPort('inbox');
    const msg = new Msg({ big: 'x'.repeat(1000) });
    const idle = inspect(msg);
    port.sendmsg(msg);
    return {
      zero,
      runnable,
      blocked,
      finished: inspect(td),
      nested: inspect({ td }),
      port: inspect(port),
      idle,
      queued: inspect(msg),
      string: String(td),
    };
  },

  async asyncMain() {
    const good = create(async () => {
      await null;
      return 'async value';
    });
    const bad = create(async () => {
      await null;
      throw new RangeError('async failure');
    });
    return { good: await good.finished, bad: await rejectionOf(bad.finished) };
  },

  async runReturnsPromise() {
    const promise = run(() => curthread().name);
    return {
      promise: promise instanceof Promise,
      value: await promise,
      named: await run(() => curthread().name, { name: 'other' }),
      rejected: await rejectionOf(
        run(() => {
          throw new Error('from run');
        }),
      ),
    };
  },

  async stackOfThread() {
    function whereItWaits() {
      sleep(300);
    }
    const td = create(() => whereItWaits(), { name: 'stacked' });
    const before = td.stack ?? null;
    const text = await run(() => {
      sleep(1);
      return td.stack;
    });
    const own = await run(function myself() {
      return curthread().stack;
    });
    await td.finished;
    return { before, text, own, after: td.stack ?? null };
  },

  async falsyOutcomes() {
    const values = await Promise.all([undefined, null, 0, '', false].map((v) => create(() => v).finished));
    const thrown = [];
    for (const v of [undefined, null, 0, ''])
      await create(() => {
        throw v;
      }).finished.catch((e) => thrown.push(e === v));
    return { values: values.map((v) => String(v)), thrown };
  },

  async nestedCreates() {
    const depth = await run(() => {
      const nest = (n) => (n === 0 ? 0 : 1 + create(() => nest(n - 1)).join());
      return nest(50);
    });
    return depth;
  },

  async stackSizes() {
    const depthWith = (stackSize) =>
      create(
        () => {
          const { depth, error } = overflow();
          return { depth, error: shown(error).name };
        },
        { stackSize },
      ).finished;
    const small = await depthWith(128 * 1024);
    const big = await depthWith(4 * 1024 * 1024);
    return { small: small.error, big: big.error, deeper: big.depth > small.depth * 8 };
  },
});
