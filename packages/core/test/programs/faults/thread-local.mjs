// threadLocal(): properties whose value goes with the userthread. See thread-local.test.ts.
import { create, curthread, run, sleep, threadLocal, yieldNow } from '@libcr/core';
import { main, shown, thrownBy } from '../check.mjs';

await main({
  /** A library that keeps "the current user" as if there were one thread. */
  async own() {
    const library = {
      current: 'nobody',
      as(user, f) {
        const before = this.current;
        this.current = user;
        try {
          return f();
        } finally {
          this.current = before;
        }
      },
    };
    const visits = () => {
      const tds = ['ann', 'bob', 'cat'].map((user, i) =>
        create(() =>
          library.as(user, () => {
            sleep(5 - i);
            const inside = library.current;
            return `${user} ${inside} ${create(() => library.current).join()} ${library.current}`;
          }),
        ),
      );
      return Promise.all(tds.map((td) => td.finished));
    };
    const without = await visits();
    library.current = 'nobody';
    const local = threadLocal(library, 'current');
    const withIt = await visits();
    const onLoop = library.current;
    library.current = 'the loop';
    const seen = await run(() => library.current);
    local.restore();
    local.restore();
    return {
      mixed: without.some((line) => !/^(\w+) \1 nobody \1$/.test(line)),
      withIt,
      onLoop,
      seen,
      after: Object.getOwnPropertyDescriptor(library, 'current'),
    };
  },

  /** As a plain property for everybody else. */
  shape() {
    const key = Symbol('key');
    const object = { a: 1, [key]: 2 };
    Object.defineProperty(object, 'hidden', { value: 3, writable: true, configurable: true });
    const derived = Object.create(object);
    threadLocal(object, 'a');
    threadLocal(object, key);
    using(threadLocal(object, 'hidden'));
    derived.a = 'own';
    object.a = undefined;
    return [
      Object.keys(object),
      object.a === undefined,
      object[key],
      Object.getOwnPropertyDescriptor(object, 'hidden'),
      derived.a,
      Object.keys(derived),
    ];
  },

  /** What can't be made so is refused, and nothing has happened. */
  refused() {
    const twice = { a: 1 };
    threadLocal(twice, 'a');
    const readOnly = Object.defineProperty({}, 'a', { value: 1, configurable: true });
    return [
      thrownBy(() => threadLocal(null, 'a')),
      thrownBy(() => threadLocal('text', 'length')),
      thrownBy(() => threadLocal({}, 1)),
      ...[
        {},
        Object.create({ a: 1 }),
        twice,
        {
          get a() {
            return 1;
          },
        },
        readOnly,
        Object.freeze({ a: 1 }),
        Object.seal({ a: 1 }),
      ].map((object) =>
        thrownBy(() => threadLocal(object, 'a')).message?.replace('threadLocal(): the property a ', ''),
      ),
    ];
  },

  /** A thread's value goes with it, also while its handle is kept. */
  async ends() {
    const object = { current: undefined };
    const local = threadLocal(object, 'current');
    const { promise, collected } = watched();
    const kept = [];
    for (let i = 0; i < 3; i++)
      kept.push(
        create(() => {
          object.current = collected({ name: curthread().name });
          yieldNow();
        }),
      );
    await Promise.all(kept.map((td) => td.finished));
    const count = await promise;
    local.restore();
    return [count, kept.length];
  },
}).catch((error) => console.log(JSON.stringify(shown(error))));

function using(local) {
  local[Symbol.dispose]();
}

/** Tells when three objects have been collected. */
function watched() {
  let count = 0;
  let done;
  const promise = new Promise((resolve) => {
    done = resolve;
  });
  const registry = new FinalizationRegistry(() => {
    if (++count === 3) done(count);
  });
  let turns = 0;
  const collect = () => {
    globalThis.gc();
    if (count < 3 && ++turns < 100) setImmediate(collect);
    else done(count);
  };
  setImmediate(collect);
  return {
    promise,
    collected(object) {
      registry.register(object);
      return object;
    },
  };
}
