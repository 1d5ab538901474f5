// What async_hooks and AsyncLocalStorage see in userthreads that wait in scopes of their own. See contexts.test.ts.
import {
  AsyncLocalStorage,
  AsyncResource,
  createHook,
  executionAsyncId,
  executionAsyncResource,
} from 'node:async_hooks';
import { create, run, sleep } from '@libcr/core';
import { main, scale } from '../check.mjs';

const storage = new AsyncLocalStorage();
/** f in so many threads at once, each with a store of its own. */
const inThreads = (n, f) =>
  Promise.all(Array.from({ length: n }, (_, i) => storage.run(i, () => create(() => f(i)).finished)));

await main({
  /** Whose store each thread sees after waits. */
  stores: () =>
    inThreads(3, () => {
      sleep(3);
      const mine = storage.getStore();
      return storage.run(`${mine} inside`, () => {
        sleep(3);
        return storage.getStore();
      });
    }),

  /** snapshot() and bind() around a wait. */
  snapshot: () =>
    inThreads(3, (i) => {
      const restore = storage.run(`taken by ${i}`, () => AsyncLocalStorage.snapshot());
      const bound = AsyncLocalStorage.bind((text) => {
        sleep(5 - i);
        return `${text} ${storage.getStore()}`;
      });
      const inside = restore(() => {
        sleep(i + 1);
        return storage.getStore();
      });
      return [inside, storage.run('elsewhere', () => bound('bound')), storage.getStore()];
    }),

  /** Scopes deeper than Node's stack of them was at first, entered and left in the order of waits. */
  deep: async () => {
    const wrong = [];
    await inThreads(4, (i) => {
      const down = (depth) => {
        if (depth === 0) return;
        const resource = new AsyncResource(`R${i}`);
        resource.runInAsyncScope(() => {
          const here = executionAsyncId();
          sleep((depth * (i + 1)) % 3);
          down(depth - 1);
          sleep((depth + i) % 3);
          if (executionAsyncId() !== here || here !== resource.asyncId()) wrong.push([i, depth]);
          if (executionAsyncResource() !== resource) wrong.push([i, depth, 'resource']);
          if (storage.getStore() !== i) wrong.push([i, depth, storage.getStore()]);
        });
      };
      down(scale(40, 20));
    });
    return wrong;
  },

  /** A scope that is left by an exception after a wait, and one that another thread is aborted in. */
  thrown: () =>
    run(() => {
      const outside = executionAsyncId();
      const other = create(() => new AsyncResource('B').runInAsyncScope(() => sleep(1e6)));
      sleep(1);
      other.abort('enough');
      try {
        new AsyncResource('A').runInAsyncScope(() => {
          sleep(1);
          throw new Error('from within');
        });
      } catch (error) {
        return [error.message, executionAsyncId() === outside];
      }
    }),

  /** With hooks in use. */
  hooks: async () => {
    let inits = 0;
    const hook = createHook({
      init: () => {
        inits++;
      },
    }).enable();
    const seen = await inThreads(3, (i) =>
      new AsyncResource('H').runInAsyncScope(() => {
        sleep(2);
        setTimeout(() => {}, 1);
        return storage.getStore() === i;
      }),
    );
    hook.disable();
    return [...seen, inits > 3];
  },
});
