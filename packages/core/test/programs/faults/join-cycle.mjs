// Threads that wait while an array is being joined, which V8 notes in a list for all: the last noted must be done first. See join-cycle.test.ts.
import { runInNewContext } from 'node:vm';
import { create, run, sleep, yieldNow } from '@libcr/core';
import { native } from '@libcr/core/internal';
import { main, scale } from '../check.mjs';

let turn = 0;
/** Waits for one of several lengths, so that threads go on in another order than they came. */
const pause = () => {
  turn++;
  if (turn % 4 === 0) yieldNow();
  else sleep(1 + ((turn * 7) % 5));
};
const slow = (text) => ({
  toString() {
    pause();
    return text;
  },
  toLocaleString() {
    pause();
    return text;
  },
});

/** Each makes the text of `name`. */
const ways = {
  join: (name) => [slow(name), 1].join() === `${name},1`,
  toString: (name) => String([slow(name)]) === name,
  toLocaleString: (name) => [slow(name), slow('b')].toLocaleString() === `${name},b`,
  template: (name) => `<${[slow(name)]}>` === `<${name}>`,
  plus: (name) => 0 + [slow(name)] === `0${name}`,
  key: (name) => ({ [name]: 3 })[[slow(name)]] === 3,
  nested: (name) => [[[slow(name), [slow('x')]], slow('y')], 'z'].join('-') === `${name},x,y-z`,
  deep: (name) => [[[[[[slow(name)]]]]]].toString() === name,
  getter: (name) => {
    const array = [1, 2];
    Object.defineProperty(array, 1, {
      get() {
        pause();
        return name;
      },
    });
    return array.join() === `1,${name}`;
  },
  separator: (name) => [1, 2].join(slow(name)) === `1${name}2`,
  cycle: (name) => {
    const array = [slow(name)];
    array.push(array, [array]);
    return array.join() === `${name},,`;
  },
  thrown: (name) => {
    const bad = {
      toString() {
        pause();
        throw new Error(name);
      },
    };
    try {
      [[slow('a')], bad].join();
    } catch (error) {
      return error.message === name;
    }
    return false;
  },
  typed: () => new Uint8Array([1, 2]).join() === '1,2',
};

/** `threads` threads, each by several ways at once; the names of the ways that went wrong. */
async function all(threads, rounds) {
  const wrong = new Set();
  await run(() => {
    const tds = Array.from({ length: threads }, (_, i) =>
      create(() => {
        const names = Object.keys(ways);
        for (let n = 0; n < rounds * names.length; n++) {
          const way = names[(n + i) % names.length];
          const garbage = Array.from({ length: 200 }, (_, k) => ({ k }));
          if (!ways[way](`thread ${i}`) || garbage.length !== 200) wrong.add(way);
        }
      }),
    );
    for (const td of tds) td.join();
  });
  return [...wrong];
}

await main({
  own: async () => ({
    known: native.joinStacks,
    two: await all(2, 1),
    three: await all(3, 1),
    many: await all(scale(20, 5), scale(3, 1)),
  }),

  /** Not a cycle, although it is being joined already, by somebody else. */
  sameArray: () => {
    const shared = [slow('a'), slow('b')];
    return run(() => Array.from({ length: 5 }, () => create(() => shared.join('+'))).map((td) => td.join()));
  },

  /** The event loop's own joins, and those of threads that don't wait, are as ever. */
  besides: async () => {
    const self = ['x'];
    self.push(self);
    const td = create(() => [[slow('a')], self].join());
    const seen = [];
    const timer = setInterval(() => seen.push(`${self}`), 1);
    const value = await td.finished;
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    clearInterval(timer);
    return { value, seen: [...new Set(seen)] };
  },

  /** Ended in the middle by abort(), which is an exception like any other. */
  aborted: () =>
    run(() => {
      const shared = [slow('a')];
      const tds = Array.from({ length: 6 }, () => create(() => [shared, [shared]].join()));
      yieldNow();
      for (const td of tds.slice(0, 3)) td.abort();
      return tds.map((td) => {
        try {
          return td.join();
        } catch (error) {
          return error.name;
        }
      });
    }),

  /** Every context has a list of its own. */
  contexts: () =>
    run(() =>
      Array.from({ length: 4 }, (_, i) =>
        create(() =>
          runInNewContext(
            '[[{ toString() { pause(); return name; } }], { toString() { pause(); return 1; } }].join()',
            {
              pause,
              name: `n${i}`,
            },
          ),
        ),
      ).map((td) => td.join()),
    ),
});
