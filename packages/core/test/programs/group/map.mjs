// map() and race(): order, laziness, failures, aborts. See group/map.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as later } from 'node:timers/promises';
import { create, curthread, map, race, sleep, userthreads, wait, yieldNow } from '@libcr/core';
import { all, caught, never } from './cases.mjs';

function* counting(log, end = Number.POSITIVE_INFINITY) {
  try {
    for (let i = 0; i < end; i++) {
      log.push(`item ${i}`);
      yield i;
    }
  } finally {
    log.push('returned');
  }
}

all({
  order: () => map([30, 20, 10], (ms, index) => sleep(ms / 10) ?? `${index}: ${ms}`),

  iterables: () => ({
    set: map(new Set(['a', 'b']), (name) => name.toUpperCase()),
    text: map('xyz', (letter, i) => letter + i, { concurrency: 2 }),
    async: map([1, 2], async (n) => later(1, n * 2)),
    none: map([], () => 1),
  }),

  concurrency() {
    let running = 0;
    let most = 0;
    map(
      counting([], 20),
      () => {
        most = Math.max(most, ++running);
        yieldNow();
        sleep(1);
        running--;
      },
      { concurrency: 4 },
    );
    return most;
  },

  lazy() {
    const log = [];
    const error = caught(() =>
      map(
        counting(log), // without an end
        (n) => {
          sleep(1);
          log.push(`done ${n}`);
          if (n === 2) throw new Error('at 2');
        },
        { concurrency: 1 },
      ),
    );
    return { message: error.message, log };
  },

  blockingGenerator() {
    function* lines() {
      for (const line of ['a', 'b', 'c']) {
        sleep(1);
        yield line;
      }
    }
    return map(lines(), (line) => sleep(1) ?? line, { concurrency: 2 });
  },

  asyncIterable() {
    const log = [];
    async function* pages() {
      try {
        for (let i = 0; ; i++) {
          await later(1);
          log.push(`page ${i}`);
          yield i;
        }
      } finally {
        await later(1);
        log.push('closed');
      }
    }
    const error = caught(() =>
      map(
        pages(),
        (page) => {
          if (page === 2) throw new Error('torn');
          return page;
        },
        { concurrency: 1 },
      ),
    );
    return { message: error.message, log };
  },

  asyncIterableEnds: () =>
    map(
      (async function* () {
        yield 'a';
        await later(1);
        yield 'b';
      })(),
      (letter) => letter,
    ),

  asyncIterableOwes() {
    // It never answers: the failure of a child need not wait for that.
    const items = {
      calls: [],
      [Symbol.asyncIterator]: () => ({
        next() {
          items.calls.push('next');
          return items.calls.length === 1 ? { value: 1 } : new Promise(() => {});
        },
        return() {
          items.calls.push('return');
          return new Promise(() => {});
        },
      }),
    };
    const error = caught(() =>
      map(items, () => {
        sleep(1);
        throw new Error('of a child');
      }),
    );
    return { message: error.message, calls: items.calls };
  },

  itemsFail() {
    const log = [];
    const error = caught(() =>
      map(
        (function* () {
          yield 1;
          yieldNow();
          throw new Error('of items');
        })(),
        () => {
          try {
            never();
          } finally {
            log.push('aborted');
          }
        },
      ),
    );
    return { message: error.message, log, left: userthreads().length };
  },

  aborts() {
    const log = [];
    const controller = new AbortController();
    create(() => sleep(1) ?? controller.abort('signalled'));
    const bySignal = caught(() =>
      map([1, 2, 3], (n) => log.push(n) && never(), { concurrency: 2, signal: controller.signal }),
    );
    const byTime = caught(() => map([1], never, { timeout: 1 }));
    const td = create(() => map(counting(log), never, { concurrency: 1 }));
    sleep(1);
    td.abort('the caller');
    const byCaller = caught(() => td.join());
    return { log, bySignal: bySignal.cause, byTime: byTime.code, byCaller: byCaller.cause };
  },

  options: () =>
    map([1], () => [curthread().name, curthread().priority], {
      name: 'worker',
      priority: 20,
      preemptible: true,
    }),

  async onTheEventLoop() {
    const storage = new AsyncLocalStorage();
    return {
      map: await storage.run('kept', () => map([1, 2], (n) => sleep(1) ?? storage.getStore() + n)),
      race: await race([() => sleep(1000), () => 'quick']),
    };
  },

  wrong: () =>
    [
      () => map(),
      () => map(5, () => {}),
      () => map([1]),
      () => map([1], () => {}, { concurrency: 0 }),
      () => map([1], () => {}, { concurrency: '1' }),
      () => map([1], () => {}, null),
      () => map([1], () => {}, { priority: 99 }),
      () => race(),
      () => race([]),
      () => race([() => {}, 1]),
      () => race([() => {}], { timeout: 'x' }),
    ].map((fn) => caught(fn).code ?? 'no error'),

  raceValue() {
    const log = [];
    const value = race([
      () => {
        try {
          never();
        } catch (error) {
          log.push(`${error.name}: ${error.cause}`);
          sleep(1); // is waited for
          log.push('the loser is gone');
          throw new Error('nobody hears of this');
        }
      },
      () => sleep(1) ?? 'first',
      async () => {
        await new Promise(() => {});
      },
    ]);
    log.push(value);
    return { log, left: userthreads().length };
  },

  raceFailure() {
    const error = caught(() =>
      race([
        () => never(),
        () => {
          throw new RangeError('first');
        },
        () => 'too late',
      ]),
    );
    return { message: error.message, left: userthreads().length };
  },

  raceUndefined: () => [race([() => undefined, never]) === undefined, race(new Set([() => 1])) === 1],

  raceAborted() {
    const td = create(() => race([never, never]));
    sleep(1);
    td.abort('over');
    return caught(() => td.join()).cause;
  },

  raceWithItself: () =>
    race([() => race([() => sleep(5) ?? 'slow', () => 'inner']), () => sleep(20) ?? 'outer']),

  mapWithinMap: () =>
    map([1, 2], (a) => map([10, 20], (b) => wait(later(1, a * b)), { concurrency: 1 }), { concurrency: 1 }),
});
