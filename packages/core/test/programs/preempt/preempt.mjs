// Preemption: one case for each thing that must hold. Where a loop has no end of its own, the case ends only because somebody else had a turn: it
// hangs where nobody is preempted. See preempt.test.ts.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import querystring from 'node:querystring';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import { isMainThread, Worker } from 'node:worker_threads';
import {
  create,
  curthread,
  Msg,
  MsgPort,
  preemptible,
  Rfork,
  run,
  setSlice,
  sleep,
  Token,
  uninterrupted,
  userthreads,
  wait,
  yieldNow,
} from '@libcr/core';
import { main, rejectionOf, scale, thrownBy } from '../check.mjs';
import { bePreempted, computeUntil } from './compute.mjs';
import { jobs } from './jobs.mjs';

const all = (tds) => Promise.all(tds.map((td) => td.finished));
const short = { preemptible: true, slice: 1 };

async function blocked(td) {
  while (td.state !== 'blocked') await delay(1);
}

function holding(token, fn) {
  const hold = token.get();
  try {
    return fn();
  } finally {
    hold.release();
  }
}

/** For at least so many milliseconds. */
function compute(ms) {
  const end = performance.now() + ms;
  computeUntil(() => performance.now() >= end);
}

main({
  async jobs() {
    const size = scale(1, 0.05);
    const ticks = setInterval(() => {}, 1);
    let tds;
    do {
      tds = [0, 1].flatMap(() =>
        Object.entries(jobs).map(([name, job]) => create(() => job(size), { name, ...short })),
      );
      await all(tds);
    } while (!tds.some((td) => td.preemptions > 0));
    clearInterval(ticks);
    return tds.every((td) => td.state === 'finished');
  },

  async loopGoesOn() {
    let stop = 0;
    const seen = [];
    const tds = [1, 2, 3].map(() => create(() => computeUntil(() => stop === 5), short));
    setTimeout(() => seen.push('timer') && stop++, 20);
    setImmediate(() => seen.push('immediate') && stop++);
    const server = new Readable({ read() {} });
    server.on('data', () => seen.push('data') && stop++);
    setTimeout(() => server.push('x'), 10);
    create(() => {
      sleep(5);
      seen.push('userthread');
      stop++;
    });
    import('node:fs/promises').then(({ stat }) => stat('/')).then(() => seen.push('fs') && stop++);
    await all(tds);
    return seen.sort();
  },

  /** Nothing but a microtask, of which nobody outside of V8 knows. */
  async microtasks() {
    let stop = false;
    await run(() => {
      Promise.resolve().then(() => {
        stop = true;
      });
      computeUntil(() => stop);
    }, short);
    process.nextTick(() => {
      stop = false;
    });
    await run(() => computeUntil(() => !stop), short);
    return stop;
  },

  async region() {
    let stop = false;
    const td = create(() => {
      const before = td.preemptions;
      setTimeout(() => {
        stop = true;
      }, 5);
      const value = preemptible(() => computeUntil(() => stop) >= 0, { slice: 2 });
      const during = td.preemptions - before;
      compute(40);
      return { value, during: during > 0, after: td.preemptions - before - during };
    });
    return td.finished;
  },

  async nested() {
    const ticks = setInterval(() => {}, 1);
    const td = create(() => {
      bePreempted();
      const inner = preemptible(
        () => {
          bePreempted();
          return 'inner';
        },
        { slice: 3 },
      );
      bePreempted();
      return inner;
    }, short);
    const value = await td.finished;
    clearInterval(ticks);
    return { value, preemptions: td.preemptions >= 3 };
  },

  async uninterrupted() {
    let ticks = 0;
    const ticker = setInterval(() => ticks++, 1);
    const td = create(() => {
      bePreempted();
      const inside = uninterrupted(() => {
        const before = [td.preemptions, ticks];
        compute(60);
        preemptible(() => compute(30), { slice: 1 });
        uninterrupted(() => compute(10));
        compute(30);
        return before[0] === td.preemptions && before[1] === ticks;
      });
      bePreempted();
      let thrown;
      try {
        uninterrupted(() => {
          throw new RangeError('mine');
        });
      } catch (error) {
        thrown = error.message;
      }
      bePreempted();
      const waited = uninterrupted(() => {
        sleep(5); // may wait, and is not preempted afterwards
        const before = td.preemptions;
        compute(30);
        return td.preemptions - before;
      });
      bePreempted();
      return { inside, thrown, waited };
    }, short);
    const value = await td.finished;
    clearInterval(ticker);
    return { ...value, elsewhere: [uninterrupted(() => 1), await run(() => uninterrupted(() => 2))] };
  },

  async exceptions() {
    const ticks = setInterval(() => {}, 1);
    const td = create(() => {
      try {
        preemptible(() => {
          bePreempted();
          throw new TypeError('inner');
        });
      } catch (error) {
        bePreempted();
        throw new Error('outer', { cause: error });
      }
    }, short);
    const error = await td.finished.catch((e) => e);
    clearInterval(ticks);
    return {
      message: error.message,
      cause: error.cause.message,
      stack: /bePreempted|preempt\.mjs/.test(error.stack),
    };
  },

  async waits() {
    const port = new MsgPort('doubler');
    create(
      () => {
        for (const msg of port) {
          bePreempted();
          msg.replymsg(undefined, msg.data * 2);
        }
      },
      { ...short, daemon: true },
    );
    const tds = [1, 2, 3].map((i) =>
      create(() => {
        let sum = 0;
        for (let n = 0; n < 3; n++) {
          bePreempted();
          sum += port.domsg(new Msg(i)) + wait(delay(1, 1));
          yieldNow();
          sleep(1);
        }
        return sum;
      }, short),
    );
    const sums = await all(tds);
    port.close();
    return sums;
  },

  async abort() {
    const seen = [];
    const td = create(() => {
      try {
        computeUntil(() => seen.length > 0);
        seen.push('computed on');
        sleep(10_000);
      } finally {
        seen.push('finally');
      }
    }, short);
    setTimeout(() => {
      seen.push('aborted');
      td.abort('enough');
    }, 10);
    const outcome = await rejectionOf(td.finished);
    return { seen, name: outcome.name };
  },

  async terminate() {
    const seen = [];
    const token = new Token('mine');
    const td = create(function victim() {
      try {
        holding(token, () => computeUntil(() => false));
      } catch {
        seen.push('catch');
      } finally {
        seen.push('finally');
      }
    }, short);
    const other = create(() => {
      sleep(20);
      td.terminate('enough');
      try {
        td.join();
      } catch (error) {
        seen.push(error.code, error.cause);
      }
      return holding(token, () => 'has the token');
    });
    seen.push(await other.finished, td.state, td.preemptions > 0);
    // The stack, the isolate and Node's ids are as they were: others begin on that stack and wait.
    const storage = new AsyncLocalStorage();
    const store = () => {
      sleep(1);
      return storage.getStore();
    };
    seen.push(await storage.run('store', () => run(store)));
    return seen;
  },

  /** Many, at any point of what they do. */
  async terminateMany() {
    const counts = {};
    const resource = new AsyncResource('SOMETHING');
    for (let i = 0; i < scale(60, 8); i++) {
      const storage = new AsyncLocalStorage();
      const td = create(
        () => {
          for (;;)
            storage.run(i, () => {
              const job = Object.values(jobs)[i % 13];
              if (i % 2) job(0.1);
              else if (Number(process.versions.node.split('.')[0]) < 24)
                resource.runInAsyncScope(() => job(0.1));
              else job(0.1);
            });
        },
        { preemptible: true, slice: 0.5 },
      );
      await delay(Math.random() * 8);
      td.terminate();
      const { code } = await rejectionOf(td.finished);
      counts[code] = (counts[code] ?? 0) + 1;
    }
    const fine = () => {
      sleep(1);
      return 'fine';
    };
    return [Object.keys(counts), await run(fine)];
  },

  async terminateOthers() {
    const seen = [];
    const waiting = create(() => {
      try {
        sleep(10_000);
      } finally {
        seen.push('a wait: finally');
      }
    });
    while (waiting.state !== 'blocked') await delay(1);
    waiting.terminate('w');
    seen.push((await rejectionOf(waiting.finished)).code);
    const fresh = create(() => seen.push('never'));
    fresh.terminate();
    seen.push((await rejectionOf(fresh.finished)).code);
    // It catches the error and computes on.
    const stubborn = create(() => {
      try {
        sleep(10_000);
      } catch {
        seen.push('caught');
        computeUntil(() => false);
      }
    }, short);
    while (stubborn.state !== 'blocked') await delay(1);
    stubborn.terminate();
    seen.push((await rejectionOf(stubborn.finished)).code);
    return seen.concat(
      await run(() => {
        const td = curthread();
        return [thrownBy(() => td.terminate()).code, thrownBy(() => waiting.terminate()).returned];
      }),
    );
  },

  async criticalTerminate() {
    let entered = false;
    let left = false;
    let told = 0;
    const td = create(() => {
      preemptible(
        () => {
          uninterrupted(() => {
            entered = true;
            sleep(1); // terminated meanwhile: this throws, and is caught
            compute(20);
            left = true;
          });
        },
        { slice: 1 },
      );
    });
    const other = create(() => {
      while (!entered) yieldNow();
      td.terminate();
      told++;
    });
    await other.finished;
    return { code: (await rejectionOf(td.finished)).code, left, told };
  },

  async asyncLocalStorage() {
    const storage = new AsyncLocalStorage();
    const bad = [];
    const ticks = setInterval(() => {
      if (storage.getStore() !== undefined) bad.push(`timer: ${storage.getStore()}`);
    }, 1);
    const tds = Array.from({ length: 6 }, (_, i) =>
      storage.run(i, () =>
        create(() => {
          for (let n = 0; n < scale(6, 2); n++) {
            bePreempted();
            if (storage.getStore() !== i) bad.push(`${i}: ${storage.getStore()}`);
            storage.run(`${i}.${n}`, () => {
              bePreempted();
              if (storage.getStore() !== `${i}.${n}`) bad.push(`${i}.${n}: ${storage.getStore()}`);
            });
          }
        }, short),
      ),
    );
    await all(tds);
    clearInterval(ticks);
    return { bad, outside: storage.getStore() ?? null };
  },

  /** On Node 20 and 22 the ids are put aside; later ones are not preempted inside, and nothing breaks. */
  async asyncScopes() {
    const tds = Array.from({ length: 4 }, () =>
      create(() => {
        for (let n = 0; n < scale(20, 4); n++) {
          const resource = new AsyncResource('SCOPE');
          const id = resource.runInAsyncScope(() => {
            compute(2);
            return resource.asyncId();
          });
          if (id !== resource.asyncId()) throw new Error('id');
        }
      }, short),
    );
    await all(tds);
    return 'fine';
  },

  /** Much of Node's own JavaScript, on preempted threads and on the event loop at the same time. */
  async nodeBetween() {
    const work = (n) => {
      const emitter = new EventEmitter();
      let heard = 0;
      emitter.on('x', () => heard++);
      for (let i = 0; i < n; i++) {
        emitter.emit('x');
        inspect({ i, list: [i, { i }] });
        new URL(`http://example.org/${i}?q=${i}`).searchParams.get('q');
        Buffer.from(`text ${i}`).toString('base64');
        setTimeout(() => {}, i % 3);
        setImmediate(() => {});
        process.nextTick(() => {});
        clearTimeout(setTimeout(() => {}, 100));
      }
      return heard;
    };
    let turns = 0;
    const ticker = setInterval(() => (turns += work(10)), 1);
    const n = scale(3000, 100);
    const working = () => {
      let heard = 0;
      do heard += work(n);
      while (turns === 0);
      return heard % n;
    };
    const tds = [1, 2, 3, 4].map(() => create(working, { preemptible: true, slice: 0.3 }));
    const heard = await all(tds);
    let chunks = 0;
    for await (const chunk of Readable.from(['a', 'b', 'c'])) chunks += chunk.length;
    clearInterval(ticker);
    return { heard: heard.every((h) => h === 0), chunks, turns: turns > 0 };
  },

  /** What is read, changed and written back by several is right with a token, which is kept over a preemption. */
  async tokens() {
    const token = new Token('sum');
    let sum = 0;
    const n = scale(200, 20);
    const ticks = setInterval(() => {}, 1);
    const tds = [1, 2, 3].map(() =>
      create(
        () => {
          for (let i = 0; i < n; i++)
            holding(token, () => {
              const before = sum;
              if (i % 10 === 0) bePreempted();
              sum = before + 1;
            });
        },
        { preemptible: true, slice: 0.3 },
      ),
    );
    await all(tds);
    clearInterval(ticks);
    return sum === 3 * n;
  },

  async states() {
    let stop = false;
    const td = create(() => computeUntil(() => stop), { ...short, name: 'computing' });
    while (td.preemptions === 0) await delay(1);
    const seen = [td.state, td.waitReason ?? null, userthreads().includes(td), /computeUntil/.test(td.stack)];
    stop = true;
    await td.finished;
    return [...seen, td.state];
  },

  async heap() {
    let stop = false;
    const tds = [1, 2, 3].map((i) =>
      create(() => {
        const mine = { i, list: Array.from({ length: 100 }, (_, n) => ({ n })) };
        computeUntil(() => stop);
        return mine.list[99].n + mine.i;
      }, short),
    );
    await delay(10);
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      getHeapStatistics();
      await delay(2);
    }
    let bytes = 0;
    for await (const chunk of getHeapSnapshot()) bytes += chunk.length;
    stop = true;
    return { values: await all(tds), snapshot: bytes > 1000 };
  },

  async rfork() {
    const rfork = new Rfork(new URL('./rfork.mjs', import.meta.url), { slice: 1 });
    const answers = await run(() => ['first', 'second'].map((word) => rfork.port.domsg(new Msg(word))));
    rfork.port.close();
    return [...answers, await rfork.finished];
  },

  async worker() {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url));
    const [ready] = await new Promise((resolve) => worker.once('message', (...args) => resolve(args)));
    const code = await worker.terminate();
    return { ready, code, here: await run(() => 'goes on') };
  },

  /** Ends the process while threads are preempted. */
  async exit() {
    const tds = [1, 2, 3].map(() => create(() => computeUntil(() => false), short));
    while (!tds.every((td) => td.preemptions > 0)) await delay(1);
    console.log('"exits"');
    process.exit(3);
  },

  async uncaught() {
    for (let i = 0; i < 3; i++) create(() => computeUntil(() => false), short);
    await delay(20);
    create(() => {
      throw new Error('nobody joins');
    });
    await delay(10_000);
  },

  /** A loop without a call in it, that V8 optimizes: it sees what others write, and nothing that is not there any more. */
  async optimizedLoops() {
    let stop = false;
    const flag = create(() => {
      while (!stop);
      return 'stopped';
    }, short);
    setTimeout(() => (stop = true), 100);
    const seen = [await flag.finished];
    const list = [];
    const fill = () => {
      list.length = 0;
      for (let i = 0; i < 200_000; i++) list.push({ v: 1 });
    };
    const sum = (a) => {
      let s = 0;
      for (let r = 0; r < 400; r++) for (let i = 0; i < a.length; i++) s = (s + a[i].v) | 0;
      return s;
    };
    fill();
    sum(list);
    let n = 0;
    const changes = setInterval(() => {
      if (n++ % 2) return fill();
      list.length = 1000 + (n % 50);
      globalThis.gc?.({ type: 'minor' });
    }, 1);
    const td = create(() => {
      for (let k = 0; k < scale(8, 1); k++) sum(list);
      return 'summed';
    }, short);
    seen.push(await td.finished);
    clearInterval(changes);
    return seen;
  },

  /** Regions and critical sections that are entered and left all the time don't begin new slices. */
  async manyRegions() {
    const seen = [];
    const inner = (wrap) => () => {
      let stop = false;
      setTimeout(() => (stop = true), 20);
      return create(() => {
        while (!stop) wrap(() => stop);
      }, short).finished;
    };
    await inner(uninterrupted)();
    seen.push('critical sections');
    await inner((fn) => uninterrupted(() => computeUntil(() => fn() || Math.random() < 1e-4)))();
    seen.push('hardly anything else');
    await inner(preemptible)();
    seen.push('inner regions');
    let stop = false;
    setTimeout(() => (stop = true), 20);
    await run(() => {
      while (!stop) preemptible(() => stop);
    });
    seen.push('one region after the other');
    return seen;
  },

  /** It catches what its wait throws, outside of regions, and computes on in another. */
  async terminateAgain() {
    const seen = [];
    const caught = () => {
      try {
        sleep(10_000);
      } catch {
        seen.push('caught');
      }
    };
    const first = create(() => {
      preemptible(caught);
      preemptible(() => computeUntil(() => false));
    });
    await blocked(first);
    first.terminate();
    seen.push((await rejectionOf(first.finished)).code);
    const second = create(() => {
      caught();
      caught();
    });
    await blocked(second);
    second.terminate();
    while (seen.length < 3) await delay(1);
    await blocked(second);
    second.terminate();
    await second.finished;
    return seen;
  },

  /** Not in Node's own JavaScript, and not in a scope that Node would miss the end of. */
  async terminateNowhereElse() {
    const text = 'a=1&'.repeat(scale(300_000, 3000));
    let parsed = 0;
    for (let i = 0; i < 6; i++) {
      const td = create(() => {
        try {
          sleep(10_000);
        } catch {
          if (i % 2) {
            querystring.parse(text, null, null, { maxKeys: 0 });
            parsed++;
          } else new AsyncResource('SCOPE').runInAsyncScope(() => compute(30));
          computeUntil(() => false);
        }
      }, short);
      await blocked(td);
      td.terminate();
      await rejectionOf(td.finished);
    }
    return parsed;
  },

  /**
   * JSON.stringify far up a deep stack, on three of them. Each look at all of such a stack takes longer than the clock waits until it asks again: who did that each time would do
   * nothing else.
   */
  async deepStacks() {
    const deep = (n, fn) => (n === 0 ? fn() : deep(n - 1, fn) + 1);
    const text = (i) =>
      JSON.stringify({ toJSON: () => ({ i, deep: deep(160_000, () => compute(5) ?? 0) > 0 }) });
    const tds = [1, 2, 3].map((i) =>
      create(() => [text(i), text(i), text(i)].join(), { ...short, stackSize: 2 ** 26 }),
    );
    return all(tds);
  },

  async misuse() {
    const ignored = () => {};
    return {
      thread0: thrownBy(() => preemptible(ignored)).code,
      slices: [0, -1, 0.01, 10_001, Number.NaN, '5'].map((slice) => [
        thrownBy(() => create(ignored, { preemptible: true, slice })).code,
        thrownBy(() => setSlice(slice)).code,
      ]),
      notAFunction: [thrownBy(() => preemptible(1)).code, thrownBy(() => uninterrupted()).code],
      options: [
        thrownBy(() => create(ignored, { preemptible: 1 })).code,
        thrownBy(() => preemptible(ignored, null)).code,
      ],
      slice: [setSlice(5), setSlice(10)],
      main: isMainThread,
    };
  },
});
