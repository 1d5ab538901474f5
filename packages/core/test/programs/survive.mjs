// A workload that waits below everything that calls JavaScript back, for runs under V8's stress flags and
// Node's tools. See survive.test.ts.
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { create, Msg, MsgPort, run, sleep, wait, yieldNow } from '@libcr/core';
import { native } from '@libcr/core/internal';
import { main, scale } from './check.mjs';
import { instantiate } from './wasm.mjs';

const immediate = () => new Promise((resolve) => setImmediate(resolve, 'immediate'));
let turn = 0;
/** Switches in one of three ways, in turn; makes garbage on the way. */
const pause = () => {
  const kept = Array.from({ length: 50 }, (_, i) => ({ i, text: `${turn} ${i}` }));
  turn++;
  if (turn % 3 === 0) sleep(0);
  else if (turn % 3 === 1) yieldNow();
  else wait(immediate());
  if (kept[49].text.split(' ')[1] !== '49') throw new Error('kept no more');
  return kept.length;
};

/** Each is run by several threads at once, and checks itself. */
const below = {
  sort: () => [5, 3, 9, 1].sort((a, b) => pause() && a - b).join() === '1,3,5,9',
  typedSort: () => new Int16Array([3, 1, 2]).sort((a, b) => pause() && a - b).join() === '1,2,3',
  map: () => [1, 2, 3].map((n) => n * pause()).join() === '50,100,150',
  reduce: () => [1, 2].reduce((sum, n) => sum + n * pause(), 0) === 150,
  replace: () => 'abc'.replace(/./g, (c) => (pause() ? c.toUpperCase() : c)) === 'ABC',
  parse: () => JSON.parse('{"a":[1,2]}', (_, v) => (pause() ? v : v)).a[1] === 2,
  getter: () =>
    ({
      get x() {
        return pause();
      },
    }).x === 50,
  proxy: () => new Proxy({}, { get: (_, name) => name + pause() }).n === 'n50',
  construct: () =>
    new (class {
      field = pause();
    })().field === 50,
  generator: () =>
    [
      ...(function* () {
        yield pause();
        yield pause();
      })(),
    ].length === 2,
  destructure: () => {
    const [a, b = pause()] = new Set([pause()]);
    return a === b;
  },
  tagged: () => ((_, n) => n)`a ${pause()} b` === 50,
  coerce: () => +{ valueOf: pause } === 50,
  wasm: () => instantiate(pause)(41) === 42,
  vm: () => runInNewContext('[2, 1].sort((a, b) => { pause(); return a - b; })[0]', { pause }) === 1,
  errors: () => {
    const log = [];
    for (let i = 0; i < 2; i++) {
      try {
        try {
          pause();
          if (i) throw new Error('thrown');
          log.push('fine');
        } finally {
          pause();
          log.push('finally');
        }
      } catch (error) {
        pause();
        log.push(error.message);
      }
    }
    return log.join() === 'fine,finally,finally,thrown';
  },
  rejection: () => {
    try {
      wait(Promise.reject(new Error('rejected')));
    } catch (error) {
      return error.message === 'rejected' && pause() === 50;
    }
  },
  bigint: () => 2n ** 200n / 2n ** BigInt(150 + pause()) === 1n,
  deep: () => {
    const down = (n) => (n === 0 ? pause() : down(n - 1) + 1);
    return down(100) === 150;
  },
  weak: () => {
    const ref = new WeakRef({ n: 1 });
    const map = new WeakMap();
    const key = {};
    map.set(key, pause());
    pause();
    return map.get(key) === 50 && (ref.deref()?.n ?? 1) === 1;
  },
  port: () => {
    const port = new MsgPort('echo');
    const td = create(() => {
      for (const msg of port) msg.replymsg(undefined, msg.data + pause());
    });
    const sum = port.domsg(new Msg(1)) + port.domsg(new Msg(2));
    port.close();
    td.join();
    return sum === 103;
  },
};

const stringify = () => JSON.stringify({ toJSON: () => ({ n: pause() }) }) === '{"n":50}';
if (!process.version.startsWith('v22.')) below.stringify = stringify; // see the case jsonStringify

const failures = async (rounds, width) => {
  const names = Object.keys(below);
  const tds = Array.from({ length: width }, (_, w) =>
    create(() => {
      const bad = [];
      for (let i = 0; i < rounds; i++)
        for (let k = 0; k < names.length; k++) {
          const name = names[(k * 7 + w) % names.length];
          if (below[name]() !== true) bad.push(name);
        }
      return bad;
    }),
  );
  return (await Promise.all(tds.map((td) => td.finished))).flat();
};

main({
  async workload() {
    return failures(scale(10, 2), scale(20, 6));
  },

  /** For flags that make everything very slow, whatever LIBCR_NODE_FLAGS says. */
  async small() {
    return failures(2, 5);
  },

  async jsonStringify() {
    const codes = new Set();
    const tds = Array.from({ length: 10 }, () =>
      create(() => {
        for (let i = 0; i < 20; i++)
          try {
            if (!stringify()) return false;
          } catch (error) {
            codes.add(error.code);
            sleep(1);
          }
        return true;
      }),
    );
    return { right: (await Promise.all(tds.map((td) => td.finished))).every(Boolean), codes: [...codes] };
  },

  async heapSnapshots() {
    const { getHeapSnapshot, getHeapStatistics } = await import('node:v8');
    const drain = (stream) => {
      let size = 0;
      stream.on('data', (data) => {
        size += data.length;
      });
      return new Promise((resolve) => stream.on('end', () => resolve(size)));
    };
    const suspended = Array.from({ length: 20 }, () =>
      create(() => [2, 1].sort(() => sleep(1e8)), { daemon: true }),
    );
    const inThread = await run(() => wait(drain(getHeapSnapshot())));
    const outside = await drain(getHeapSnapshot());
    for (const td of suspended) td.abort();
    await Promise.allSettled(suspended.map((td) => td.finished));
    return inThread > 1e5 && outside > 1e5 && getHeapStatistics().used_heap_size > 0;
  },

  async coverage() {
    // precise coverage, taken while threads are in the middle of the function
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    function counted() {
      sleep(1);
    }
    const tds = Array.from({ length: 10 }, () => create(counted));
    await run(() => yieldNow());
    await session.post('Profiler.takePreciseCoverage');
    await Promise.all(tds.map((td) => td.finished));
    for (let i = 0; i < 5; i++) await create(counted).finished;
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const functions = result.find(({ url }) => url === import.meta.url).functions;
    await session.post('Profiler.stopPreciseCoverage');
    session.disconnect();
    return functions.find(({ functionName }) => functionName === 'counted').ranges[0].count;
  },

  async cpuProfile() {
    // V8 samples the thread that holds the profiler, which is thread0: it must go on doing so
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    function burnsOnThread0() {
      let sum = 0;
      for (const end = Date.now() + 300; Date.now() < end; ) sum += Math.sqrt(sum + 1);
      return sum;
    }
    function yields() {
      for (const end = Date.now() + 300; Date.now() < end; ) yieldNow();
    }
    let seen = false;
    // Samples are taken by another kernel thread: on a busy machine it may come too late for all of them.
    for (let tries = 0; tries < 20 && !seen; tries++) {
      await session.post('Profiler.start');
      const tds = [create(yields), create(yields)];
      burnsOnThread0();
      await Promise.all(tds.map((td) => td.finished));
      burnsOnThread0();
      const { profile } = await session.post('Profiler.stop');
      seen = profile.nodes.some(
        ({ callFrame, hitCount }) => callFrame.functionName === 'burnsOnThread0' && hitCount > 0,
      );
    }
    session.disconnect();
    return seen;
  },

  /** Workers, which have a copy of V8's thread-locals each, with userthreads that wait. */
  async words() {
    const code = `
      import { parentPort } from 'node:worker_threads';
      import { create, sleep } from ${JSON.stringify(import.meta.resolve('@libcr/core'))};
      const sleeper = (i) => () => { sleep(i % 4); globalThis.gc?.(); return i; };
      const tds = Array.from({ length: 10 }, (_, i) => create(sleeper(i)));
      let sum = 0;
      for (const td of tds) sum += await td.finished;
      parentPort.postMessage(sum);`;
    const one = () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
        worker.once('message', resolve).once('error', reject);
      });
    return { way: native.threadWords, sums: await Promise.all([one(), one(), one()]) };
  },

  async servers() {
    // 201 threads that fetch and get from a server whose handlers are userthreads
    let handled = 0;
    const server = createServer((request, response) => {
      create(() => {
        sleep(handled++ % 3);
        response.end(`you asked for ${request.url}`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${server.address().port}`;
    const viaGet = (url) => {
      const [response] = wait(once(get(url), 'response'));
      let text = '';
      response.setEncoding('utf8').on('data', (data) => {
        text += data;
      });
      wait(once(response, 'end'));
      return text;
    };
    const n = scale(201, 21);
    const tds = Array.from({ length: n }, (_, i) =>
      create(() => {
        const text = i % 2 ? viaGet(`${base}/${i}`) : wait(wait(fetch(`${base}/${i}`)).text());
        return text === `you asked for /${i}`;
      }),
    );
    const right = (await Promise.all(tds.map((td) => td.finished))).filter(Boolean).length;
    server.close();
    server.closeAllConnections();
    return right === n && handled === n;
  },
});
