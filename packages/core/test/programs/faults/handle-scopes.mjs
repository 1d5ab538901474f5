// Threads that wait below an addon's functions with handle scopes of Node-API open. See handle-scopes.test.ts.
import { createRequire } from 'node:module';
import { create, run, sleep, wait, yieldNow } from '@libcr/core';
import { native } from '@libcr/core/internal';
import { main, scale } from '../check.mjs';

const require = createRequire(import.meta.url);
const first = require(process.argv[3]);
const second = require(process.argv[4]);

let turn = 0;
const pause = () => {
  turn++;
  if (turn % 3 === 0) yieldNow();
  else sleep(1 + ((turn * 7) % 5));
};

await main({
  /** As in the issue: 5 and 10 ms, and the other way round. */
  two: () =>
    run(() =>
      [
        [5, 10],
        [10, 5],
      ].map((pair) =>
        pair.map((ms) => create(() => first.scoped(() => sleep(ms) ?? ms, 1))).map((td) => td.join()),
      ),
    ),

  /** Each thread has called JSON.stringify before, so that its return addresses lie about on the stack. */
  stringified: () =>
    run(() => {
      const deep = Array.from({ length: 40 }).reduce((below) => ({ toJSON: () => ({ below }) }), 'deepest');
      const tds = Array.from({ length: 8 }, (_, i) =>
        create(() => {
          const text = JSON.stringify(deep);
          return first.scoped(() => {
            pause();
            return text.includes('deepest') && i;
          }, 2);
        }),
      );
      return tds.map((td) => td.join());
    }),

  /** Two addons, one in the other, with different numbers of scopes, in many threads. */
  many: () =>
    run(() => {
      const wrong = [];
      const tds = Array.from({ length: scale(30, 6) }, (_, i) =>
        create(() => {
          for (let n = 0; n < scale(20, 3); n++) {
            const outer = (n + i) % 4;
            const inner = (n * i) % 3;
            const value = first.scoped(() => {
              pause();
              const got = second.scoped(() => {
                pause();
                return [i, n];
              }, inner);
              pause();
              return got;
            }, outer);
            if (value?.join() !== `${i},${n}`) wrong.push([i, n]);
          }
        }),
      );
      for (const td of tds) td.join();
      return { wrong, known: native.napiScopes };
    }),

  /** The second addon's file is called like one that runs C on a stack of its own. */
  oneStack: () =>
    run(() => {
      const below = (value, pause) => create(() => second.scoped(() => pause() ?? value, 1));
      const one = below('first', () => sleep(20));
      yieldNow();
      const codes = [sleep, yieldNow].map((pause) => {
        try {
          return below('second', () => pause(1)).join();
        } catch (error) {
          return error.code;
        }
      });
      const without = below('needs no wait', () => {}).join();
      const waited = [one.join(), below('free again', () => sleep(1)).join()];
      return { waited, refused: codes, without };
    }),

  /** Exceptions leave by way of the addon, too. */
  thrown: () =>
    run(() => {
      const tds = Array.from({ length: 6 }, (_, i) =>
        create(() =>
          first.scoped(() => {
            sleep(6 - i);
            throw new Error(`thrown ${i}`);
          }, 2),
        ),
      );
      tds[5].abort();
      return wait(Promise.allSettled(tds.map((td) => td.finished))).map(({ reason }) =>
        reason.name === 'Error' ? reason.message : reason.name,
      );
    }),

  /** The event loop uses the addon meanwhile. */
  besides: async () => {
    const td = create(() => first.scoped(() => sleep(20) ?? 'td', 2));
    const seen = [];
    const timer = setInterval(() => seen.push(first.scoped(() => 'loop', 3)), 2);
    const value = await td.finished;
    clearInterval(timer);
    return { value, seen: [...new Set(seen)] };
  },
});
