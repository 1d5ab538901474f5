// What node-fibers' users rely on, said with userthreads. See from-fibers.test.ts and docs/from-fibers.md, which has the same coroutine.
import { AsyncLocalStorage } from 'node:async_hooks';
import { promisify } from 'node:util';
import { create, curthread, run, sleep, stats, userthreads, wait, yieldNow } from '@libcr/core';
import { overflow } from './check.mjs';
import { all, caught, never } from './group/cases.mjs';

function promised() {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

/** fiber.run(), Fiber.yield() and fiber.throwInto(). */
function coroutine(main) {
  let turn;
  let answer;
  const give = (value) => {
    turn = promised();
    answer.resolve({ value, done: false });
    return wait(turn.promise);
  };
  const begin = (value) => {
    try {
      const result = main(value, give);
      answer.resolve({ value: result, done: true });
    } catch (error) {
      answer.reject(error);
    }
  };
  const resumed = (resume) => {
    answer = promised();
    resume();
    return wait(answer.promise);
  };
  return {
    run: (value) => resumed(() => (turn ? turn.resolve(value) : create(() => begin(value)))),
    throwInto: (error) => resumed(() => turn.reject(error)),
  };
}

all({
  valuesGoBothWays() {
    const fiber = coroutine((first, give) => {
      const second = give(`got ${first}`);
      const third = give(`got ${second}`);
      return `ends with ${third}`;
    });
    return ['a', 'b', 'c'].map((value) => fiber.run(value));
  },

  exceptionsGoOut: () =>
    caught(() =>
      coroutine(() => {
        throw new RangeError('out');
      }).run(),
    ).message,

  exceptionsGoIn() {
    const error = new Error('in');
    const fiber = coroutine((_, give) => {
      const seen = caught(() => give());
      return seen === error;
    });
    fiber.run();
    return fiber.throwInto(error).value;
  },

  unwoundFromOutside() {
    const log = [];
    const td = create(() => {
      try {
        never();
      } finally {
        sleep(1); // unwinding may wait
        log.push('unwound');
      }
    });
    yieldNow();
    td.abort();
    caught(() => td.join());
    return [...log, td.state];
  },

  neverStarted() {
    const log = [];
    const td = create(() => log.push('has begun'));
    td.abort('not needed');
    return [caught(() => td.join()).name, ...log];
  },

  currentIsRight() {
    const outer = curthread();
    const depth = (n) =>
      create(() => {
        const me = curthread();
        if (n > 0) depth(n - 1);
        sleep(1);
        return curthread() === me;
      }).join();
    return [depth(5), curthread() === outer];
  },

  overflowIsItsOwn() {
    const other = create(() => sleep(1) ?? 'unharmed');
    const td = create(() => overflow().error.name);
    return [td.join(), other.join()];
  },

  thousandsAtOnce() {
    let sum = 0;
    const tds = Array.from({ length: 3000 }, (_, i) =>
      create(() => {
        sleep(1);
        sum += i;
      }),
    );
    for (const td of tds) td.join();
    return [sum, userthreads().length];
  },

  stacksAreUsedAgain() {
    create(() => {}).join();
    const before = stats().stacksCreated;
    for (let i = 0; i < 500; i++) create(() => {}).join();
    return stats().stacksCreated - before;
  },

  anywhereInTheLanguage() {
    const object = {
      get slow() {
        return wait(Promise.resolve('getter'));
      },
      toString: () => wait(Promise.resolve('text')),
      *each() {
        yield wait(Promise.resolve('generator'));
      },
    };
    class Made {
      constructor() {
        this.by = wait(Promise.resolve('constructor'));
      }
    }
    const sorted = [3, 1, 2].sort((a, b) => wait(Promise.resolve(a - b)));
    const replaced = 'x'.replace(/x/, () => wait(Promise.resolve('replacer')));
    const reflected = new Proxy({}, { get: () => wait(Promise.resolve('trap')) }).any;
    return [object.slow, `${object}`, ...object.each(), new Made().by, sorted, replaced, reflected];
  },

  finallyAndReturn() {
    const log = [];
    const f = () => {
      try {
        sleep(1);
        return 'value';
      } finally {
        sleep(1);
        log.push('finally');
      }
    };
    return [f(), ...log];
  },

  futures() {
    const double = promisify((n, done) => setImmediate(done, n < 0 ? new Error('negative') : null, 2 * n));
    const [a, b] = [double(1), double(2)];
    return [wait(a) + wait(b), caught(() => wait(double(-1))).message];
  },

  waitingForSeveral() {
    const later = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
    return wait(Promise.all([later(2, 'a'), later(1, 'b')]));
  },

  async insideCallbacks() {
    // Fibers are made in the event loop's callbacks, and outlive them.
    const { promise, resolve } = promised();
    setImmediate(() => create(() => resolve(wait(Promise.resolve(curthread().id > 0)))));
    return promise;
  },

  async storesGoAlong() {
    const storage = new AsyncLocalStorage();
    const one = storage.run('one', () => run(() => sleep(1) ?? storage.getStore()));
    const two = storage.run('two', () => run(() => yieldNow() ?? storage.getStore()));
    return [await one, await two, storage.getStore() ?? 'none'];
  },

  async notOnTheEventLoop() {
    return caught(() => wait(Promise.resolve(1))).code;
  },

  notRunByHand() {
    const log = [];
    const td = create(() => log.push('inside'));
    log.push('created'); // Fiber(fn).run() would have been inside by now
    td.join();
    return log;
  },
});
