// Programs that snapshot() looks at. Each case prints what top.test.ts looks at.
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  create,
  createNative,
  curthread,
  Msg,
  MsgPort,
  Rfork,
  run,
  Serializer,
  sleep,
  snapshot,
  Token,
  userthreads,
  wait,
  yieldNow,
} from '@libcr/core';
import { native, ownTimers } from '@libcr/core/internal';
import { main, rejectionOf } from '../check.mjs';

const child = new URL('./top-child.mjs', import.meta.url);
const tick = () => new Promise((resolve) => setImmediate(resolve));
const never = new Promise(() => {});

/** All threads block, or have yielded to others often. */
async function settle() {
  for (let i = 0; i < 20; i++) await tick();
}

function endAll() {
  for (const td of userthreads()) {
    td.finished.catch(() => {}); // who joins one of them fails as that one does
    td.abort();
  }
}

/** The threads of the first rfork, by name. */
const byName = ({ rforks: [{ threads }] }) => Object.fromEntries(threads.map((td) => [td.name, td]));
const states = (seen) => seen.rforks.map(({ id, name, state }) => `${id} ${name} ${state}`);

async function busyRfork(token) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const rfork = new Rfork(child, { name: 'spins', data: { role: 'spins', flag, token } });
  while (Atomics.load(flag, 0) === 0) await tick();
  return { rfork, flag };
}

await main({
  /** Every state and wait reason. */
  async states() {
    const inbox = new MsgPort('inbox');
    const serializer = new Serializer('printer');
    const sleeper = create(() => sleep(1e6), { name: 'sleeper', priority: 20, stackSize: 512 * 1024 });
    create(() => wait(never), { name: 'waiter' });
    create(() => inbox.waitport(), { name: 'receiver' });
    create(() => sleeper.join(), { name: 'joiner' });
    create(() => serializer.enter() && sleep(1e6), { name: 'holder' });
    create(() => serializer.enter(), { name: 'wanter' });
    create(
      () => {
        for (;;) yieldNow();
      },
      { name: 'yielder', priority: 0 },
    );
    await settle();
    create(() => {}, { name: 'fresh' });
    const seen = await snapshot();
    endAll();
    return { seen, same: JSON.stringify(JSON.parse(JSON.stringify(seen))) === JSON.stringify(seen) };
  },

  onUserthread: () => run(() => wait(snapshot()), { name: 'looks' }),

  /** One that a thread of another rfork holds, which never blocks: so it does not let go of it. */
  async token() {
    const token = new Token('accounts');
    const { rfork } = await busyRfork(token);
    create(() => token.get(), { name: 'wanter' });
    await settle();
    const seen = byName(await snapshot({ timeout: 0 }));
    endAll();
    await rfork.terminate();
    return seen;
  },

  async native() {
    const library = process.env.NATIVE_THREADS;
    const td = createNative({ library, symbol: 'wait_for_signal' }, { stackSize: 65_536, priority: 9 });
    const counts = createNative({ library, symbol: 'count_bytes' }, { arg: new Uint8Array(10) });
    await counts.finished;
    await settle();
    const seen = byName(await snapshot());
    td.abort();
    await rejectionOf(td.finished);
    return seen;
  },

  async switches() {
    const body = () => {
      for (let i = 0; i < 5; i++) yieldNow();
      sleep(1e6);
    };
    create(body, { name: 'a' });
    create(body, { name: 'b' });
    await settle();
    const seen = await snapshot();
    endAll();
    return seen;
  },

  /** Looks until one that spins has run longer than one that sleeps: sooner or later it has, whatever else the machine does. */
  async cpu() {
    const first = await snapshot();
    create(
      () => {
        for (;;) {
          for (let i = 0; i < 1e5; i++);
          yieldNow();
        }
      },
      { name: 'spinner' },
    );
    create(
      () => {
        for (;;) sleep(5);
      },
      { name: 'sleeper' },
    );
    for (;;) {
      await tick();
      const seen = await snapshot();
      const { spinner, sleeper } = byName(seen);
      if (sleeper.cpuTime === 0 || spinner.cpuTime <= sleeper.cpuTime) continue;
      endAll();
      return { first, seen };
    }
  },

  /** The count ends a minute after the last look; here as soon as the timer is run. */
  async counting() {
    const { setTimeout } = ownTimers;
    let end;
    ownTimers.setTimeout = (then, ms, ...rest) => {
      if (ms === 60_000) end = then;
      return setTimeout(then, ms, ...rest);
    };
    const hooked = [native.traceHooked()];
    const counted = [];
    const look = async () => {
      const [rfork] = (await snapshot()).rforks;
      counted.push(rfork.cpuCounted > 0);
      hooked.push(native.traceHooked());
    };
    await look();
    await look();
    end();
    hooked.push(native.traceHooked());
    await look();
    return { counted, hooked };
  },

  async stack() {
    const deep = (n) => (n > 0 ? 1 + deep(n - 1) : 0);
    for (const [name, depth] of Object.entries({ shallow: 1, deep: 1500 }))
      create(
        () => {
          deep(depth);
          sleep(1e6);
        },
        { name },
      );
    await settle();
    const seen = byName(await snapshot());
    endAll();
    return seen;
  },

  async queues() {
    const jobs = new MsgPort('jobs');
    const shared = new MsgPort('shared', { shared: true });
    const echo = new MsgPort('echo', { putport: (msg) => msg.data });
    const closed = new MsgPort('closed');
    const owner = create(
      () => {
        jobs.getport();
        sleep(1e6);
      },
      { name: 'owner' },
    );
    create(
      () => {
        for (let i = 0; i < 3; i++) jobs.sendmsg(new Msg(i));
        for (let i = 0; i < 2; i++) echo.sendmsg(new Msg(i)); // the answers wait at its own port
        closed.sendmsg(new Msg(1));
        closed.close();
        sleep(1e6);
      },
      { name: 'sender' },
    );
    for (const name of ['one', 'two']) create(() => shared.waitport(), { name });
    const onLoop = new MsgPort('on the loop');
    onLoop[Symbol.asyncIterator]().next();
    await settle();
    const seen = await snapshot();
    endAll();
    return { owner: owner.id, threads: byName(seen), ports: seen.rforks[0].ports };
  },

  /** That a port is listed does not keep it. */
  async garbage() {
    await run(() => {
      for (let i = 0; i < 3000; i++)
        new MsgPort(`dropped ${i}`).sendmsg(new Msg(i, { replyPort: new MsgPort('replies') }));
    });
    const before = (await snapshot()).rforks[0].ports.length;
    for (let i = 0; i < 5; i++) {
      await tick();
      globalThis.gc();
    }
    return { before, after: (await snapshot()).rforks[0].ports.length };
  },

  async many() {
    for (let i = 0; i < 1100; i++) create(() => sleep(1e6), { name: `sleeper ${i}` });
    await settle();
    const [{ userthreads, threads }] = (await snapshot()).rforks;
    endAll();
    return { userthreads, listed: threads.length, first: threads[0].name };
  },

  async rforks() {
    const serves = new Rfork(child, { name: 'serves', data: { role: 'serves' } });
    const { rfork: spins, flag } = await busyRfork();
    // One that sleeps has to be told of a message, by an IPI message; one that runs looks itself.
    let first;
    while (!(first?.rforks[0].ipisSent > 0 && first.rforks[1].state === 'running')) {
      await settle();
      await run(() => serves.port.domsg(new Msg(1)));
      first = await snapshot({ timeout: 100 }); // which one that answers may miss, on a busy machine
    }
    const atOnce = await snapshot({ timeout: 0 });
    Atomics.store(flag, 0, 2);
    await run(() => spins.port.domsg(new Msg(1)));
    const later = await snapshot({ timeout: 100_000 });
    await spins.terminate();
    const last = await snapshot({ timeout: 100_000 });
    serves.port.close();
    return { first, atOnce: states(atOnce)[2], later: states(later), last: states(last) };
  },

  /** An rfork that ends while it is asked: nobody waits for the timeout. */
  async endsMeanwhile() {
    const { rfork } = await busyRfork();
    const looks = [snapshot({ timeout: 1e6 }), snapshot({ timeout: 1e6 })];
    await rfork.terminate();
    return (await Promise.all(looks)).map(states);
  },

  async starting() {
    const id = native.reserve('to come');
    const seen = await snapshot({ timeout: 1e6 });
    native.forsake(id);
    return [states(seen), states(await snapshot({ timeout: 1e6 }))];
  },

  async askedBothWays() {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import('@libcr/core').then(async ({ snapshot }) => parentPort.postMessage(await snapshot({ timeout: 1e6 })));`,
      { eval: true },
    );
    const there = await new Promise((resolve) => worker.once('message', resolve));
    return states(there).map((line) => line.replace(/worker \d+/, 'worker N'));
  },

  async misuse() {
    const tries = [null, 1, { timeout: '1' }, { timeout: -1 }, { timeout: Number.NaN }];
    return Promise.all(tries.map((options) => rejectionOf(snapshot(options))));
  },

  /* What is served at a socket: run with --import @libcr/core/top. */

  ends: () => run(() => curthread().name),

  /** Until it is killed. */
  async serves() {
    create(() => sleep(2 ** 31 - 1), { name: 'sleeper' });
    await settle();
    console.log('ready');
    await never;
  },

  async isBusy() {
    console.log('ready');
    await tick();
    for (;;);
  },

  /** What is where the socket is to be. */
  async occupied() {
    const directory = join(process.env.TMPDIR, `lwkt-${process.getuid()}`);
    const path = join(directory, `${process.pid}.sock`);
    mkdirSync(directory, { mode: 0o700, recursive: true });
    const other = process.argv[3] === 'by another' ? createServer((socket) => socket.end()) : undefined;
    if (other) await new Promise((resolve) => other.listen(path, resolve));
    else writeFileSync(path, '');
    const warned = new Promise((resolve) => process.once('warning', ({ code }) => resolve(code)));
    await import('@libcr/core/top');
    if (other) {
      const code = await warned;
      other.close();
      return code;
    }
    for (;;) {
      const socket = connect(path);
      const connected = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      socket.destroy();
      if (connected) return 'served';
    }
  },

  async workers() {
    const worker = new Worker(
      `import('@libcr/core').then(() => require('node:worker_threads').parentPort.postMessage('up')); setInterval(() => {}, 1e6);`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    console.log('ready');
    await never;
  },
});
