// How rforks end, and what becomes of the messages that they had. See rfork.test.ts.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, curthread, Msg, MsgPort, Rfork, run, sleep, wait } from '@libcr/core';
import { main, rejectionOf, scale, shown, thrownBy } from '../check.mjs';

const child = new URL('./rfork-child.mjs', import.meta.url);
const start = (role, more = {}, options = {}) =>
  new Rfork(child, { name: role, data: { role, ...more }, ...options });

/** An rfork that has three messages of ours, held and queued, and one thread of ours that waits. */
function withMessages(then) {
  const ready = new MsgPort('ready');
  const rfork = start('keeps', { ready, count: 2, then });
  const messages = [1, 2, 3].map((n) => new Msg(n));
  rfork.finished.catch(() => {}); // or it is unhandled before we come to look at it
  for (const msg of messages) rfork.port.sendmsg(msg);
  const waiting = create(() => thrownBy(() => rfork.port.domsg(new Msg(4))));
  ready.waitport().replymsg();
  return { rfork, messages, waiting };
}

/** Kinds of envelopes: src/rfork/wire.ts. */
const REQUEST = 1;
const MOVED = 5;

const outcomes = ({ messages, waiting }) => [
  ...messages.map((msg) => thrownBy(() => msg.waitmsg()).code),
  waiting.join().code,
];

function spin(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** A generator of numbers that can be told to begin again: mulberry32. */
function generator(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

main({
  async outcomes() {
    return {
      returns: await start('returns', { value: { a: [1] } }).finished,
      asynchronous: await start('asynchronous', { value: 2 }).finished,
      throws: await rejectionOf(start('throws').finished),
      exits: await rejectionOf(start('exits').finished),
      uncaught: await rejectionOf(start('uncaught').finished),
      join: await run(() => start('returns', { value: 3 }).join()),
      joinThrows: await run(() => thrownBy(() => start('throws').join())),
      late: await run(() => {
        const rfork = start('idle');
        const late = thrownBy(() => rfork.join({ timeout: 10 })).code;
        wait(rfork.terminate());
        return late;
      }),
    };
  },

  async modules() {
    const source = (text) =>
      new Rfork(`data:text/javascript,${encodeURIComponent(text)}`, { name: 'data' }).finished;
    return {
      cause: await run(() => {
        const rfork = new Rfork('./no-such-file.mjs');
        rfork.finished.catch(() => {});
        create(() => spin(500)); // meanwhile the Worker exits, of which Node may tell before the rfork's end is told
        try {
          return rfork.port.domsg(new Msg(1));
        } catch ({ code, cause }) {
          return [code, cause?.code];
        }
      }),
      missing: (await rejectionOf(new Rfork('./no-such-file.mjs').finished)).code,
      syntax: (await rejectionOf(source('export default function ('))).name,
      noDefault: await rejectionOf(source('export const main = () => 1')),
      topLevel: (await rejectionOf(source('throw new RangeError("top level")'))).message,
      good: await source('export default (port, data) => [String(port), typeof data]'),
      relative: await new Rfork(relative(process.cwd(), fileURLToPath(child)).replace(/^(?!\.)/, './'), {
        data: { role: 'returns', value: 'relative' },
      }).finished,
      options: await new Rfork(
        `data:text/javascript,export default () => [process.argv[2], process.env.LIBCR_X, process.execArgv]`,
        {
          argv: ['argument'],
          env: { LIBCR_X: 'environment' },
          execArgv: ['--no-warnings'],
        },
      ).finished,
    };
  },

  terminate: () =>
    run(() => {
      const all = withMessages('sleep');
      const before = String(all.rfork);
      wait(all.rfork.terminate());
      return {
        before,
        after: String(all.rfork),
        outcomes: outcomes(all),
        send: thrownBy(() => all.rfork.port.sendmsg(new Msg(1))),
        finished: thrownBy(() => all.rfork.join()),
        again: wait(all.rfork.terminate()) ?? 'nothing',
      };
    }),

  /** An rfork that fails because another has ended has failed, and not merely ended. */
  anothersEnd: () =>
    run(() => {
      const first = start('commands');
      const second = start('asks', { to: first.port });
      const failed = create(() => thrownBy(() => second.join()));
      first.port.domsg(new Msg({ command: 'who' }));
      wait(first.terminate());
      const { code, message } = failed.join();
      return { code, message, ids: [first.id, second.id] };
    }),

  /** The end is told while the rfork wakes up for a thread that would never stop by itself. */
  asItWakes: () =>
    run(() => {
      const n = scale(30, 10);
      for (let i = 0; i < n; i++) {
        const rfork = start('spins');
        rfork.finished.catch(() => {});
        rfork.port.domsg(new Msg('ready'));
        if (i % 2 === 0) sleep(1); // its loop sleeps
        rfork.port.sendmsg(new Msg('go'));
        spin(i % 3 === 0 ? 0 : i / 100);
        wait(rfork.terminate());
      }
      return n;
    }),

  /** The same by the end of the program, which waits for its Workers. */
  exitAsTheyWake: () =>
    run(() => {
      const rforks = [1, 2, 3].map(() => start('spins'));
      for (const rfork of rforks) {
        rfork.finished.catch(() => {});
        rfork.port.domsg(new Msg('ready'));
      }
      sleep(2);
      for (const rfork of rforks) rfork.port.sendmsg(new Msg('go'));
      process.exit(5);
    }),

  spinning: () =>
    run(() => {
      const all = withMessages('spin');
      wait(all.rfork.terminate());
      return outcomes(all);
    }),

  exit: () =>
    run(() => {
      const all = withMessages('exit');
      return { outcomes: outcomes(all), finished: thrownBy(() => all.rfork.join()).message };
    }),

  // Main gives up, and with nothing else to do there the rfork ends, messages or not.
  throwing: () =>
    run(() => {
      const all = withMessages('throw');
      return { outcomes: outcomes(all), finished: thrownBy(() => all.rfork.join()).message };
    }),

  /** Terminated at once, before it has loaded anything. */
  early: () =>
    run(() => {
      const rfork = start('commands');
      const msg = new Msg({ command: 'who' });
      rfork.port.sendmsg(msg);
      wait(rfork.terminate());
      return [thrownBy(() => msg.waitmsg()).code, thrownBy(() => rfork.join()).code];
    }),

  /** And nothing else happens here that would turn the event loop. */
  earlyAndQuiet: () =>
    run(() => {
      const rfork = start('commands');
      const waiting = create(() => thrownBy(() => rfork.port.domsg(new Msg({ command: 'who' }))).code);
      sleep(0);
      rfork.terminate();
      return waiting.join();
    }),

  /** What an rfork has sent is aborted here when it ends. */
  clientEnds: () =>
    run(() => {
      const port = new MsgPort('service');
      const client = start('commands');
      client.port.sendmsg(new Msg({ command: 'call', to: port, data: 1 }));
      client.port.sendmsg(new Msg({ command: 'call', to: port, data: 2 }));
      const held = port.waitport();
      while (port.length === 0) sleep(1);
      wait(client.terminate());
      const stopped = thrownBy(() => sleep(1e8, { signal: held.signal }));
      held.replymsg(undefined, 'to nobody');
      const queued = port.getport(); // what was sent before the end is there
      queued.replymsg();
      return {
        stopped: stopped.name,
        reason: shown(held.signal.reason).code,
        queued: [queued.data, queued.signal.aborted],
      };
    }),

  /** A message that one rfork has passed on to another comes back when that one ends, not when the first does. */
  forwarded: () =>
    run(() => {
      const first = start('commands');
      const second = start('commands');
      const ready = new MsgPort('ready');
      // forwarded messages are commands to the second
      const pass = (rfork, to) => {
        const msg = new Msg({ command: 'forward', to: to.port, ready });
        rfork.port.sendmsg(msg);
        return msg;
      };
      // first -> second -> first -> …: until one of the two is gone
      const msg = pass(first, second);
      sleep(20);
      wait(first.terminate());
      const error = thrownBy(() => msg.waitmsg({ timeout: 20_000 })).code;
      const who = second.port.domsg(new Msg({ command: 'who' })).name;
      wait(second.terminate());
      return { error, who };
    }),

  /** Of the news where a message is, the second comes before the first: those who have passed it on are two kernel threads. */
  newsOutOfOrder: () =>
    run(() => {
      const [first, second, third] = ['first', 'second', 'third'].map(() => start('commands'));
      const shared = new SharedArrayBuffer(4);
      const ready = new MsgPort('ready');
      first.port.domsg(new Msg({ command: 'standStill', kind: MOVED, shared }));
      // Each has sent all its news before it answers what comes then.
      const outrun = (last) => {
        Atomics.store(new Int32Array(shared), 0, 0);
        const msg = new Msg({ command: 'route', path: [second.port, last], ready });
        first.port.sendmsg(msg);
        ready.waitport().replymsg();
        second.port.domsg(new Msg({ command: 'who' }));
        Atomics.store(new Int32Array(shared), 0, 1);
        Atomics.notify(new Int32Array(shared), 0);
        first.port.domsg(new Msg({ command: 'who' }));
        return msg;
      };
      const here = new MsgPort('here');
      create(() => {
        const msg = here.waitport();
        ready.sendmsg(new Msg('here'));
        try {
          sleep(1e8, { signal: msg.signal });
        } catch (error) {
          msg.replymsg(undefined, `stopped here: ${error.cause}`);
        }
      });
      const outcome = (msg) => thrownBy(() => msg.waitmsg({ timeout: 20_000 }));
      const [aborted, home, lost] = [outrun(third.port), outrun(here), outrun(third.port)];
      aborted.abortmsg('enough');
      home.abortmsg('enough');
      const stopped = [outcome(aborted), outcome(home)];
      wait(second.terminate()); // which has nothing of ours
      const still = lost.state;
      wait(third.terminate());
      const { message } = outcome(lost);
      wait(first.terminate());
      return { stopped, still, message, third: third.id };
    }),

  /** The end is told while a value is read in which much JavaScript takes part. */
  asItReads: () =>
    run(() => {
      const n = scale(20, 5);
      const ports = Array.from({ length: 2000 }, (_, i) => new MsgPort(String(i)));
      const all = new Set();
      for (let i = 0; i < n; i++) {
        const rfork = start('commands');
        rfork.port.domsg(new Msg({ command: 'who' }));
        const messages = [1, 2, 3, 4].map(() => new Msg({ command: 'hold', ports }));
        for (const msg of messages) rfork.port.sendmsg(msg);
        wait(rfork.terminate());
        for (const msg of messages) all.add(thrownBy(() => msg.waitmsg()).code);
      }
      return [...all];
    }),

  /** A message comes by way of another when it is known already that its sender has ended: nobody wants its answer. */
  outlived: () =>
    run(() => {
      const [sender, between, last] = ['sender', 'between', 'last'].map(() => start('commands'));
      const shared = new SharedArrayBuffer(4);
      const ready = new MsgPort('ready');
      between.port.domsg(new Msg({ command: 'standStill', kind: REQUEST, shared }));
      const data = { command: 'route', path: [last.port], ready };
      sender.port.sendmsg(new Msg({ command: 'call', to: between.port, data }));
      sender.port.domsg(new Msg({ command: 'who' }));
      wait(sender.terminate());
      last.port.domsg(new Msg({ command: 'who' }));
      Atomics.store(new Int32Array(shared), 0, 1);
      Atomics.notify(new Int32Array(shared), 0);
      const msg = ready.waitport();
      msg.replymsg();
      wait(between.terminate());
      wait(last.terminate());
      return msg.data;
    }),

  /** Its loop turns, with libcr loaded, before the rfork has come to its own code. */
  async turnsEarly() {
    const early = new URL('./loads-early.mjs', import.meta.url).href;
    return run(() => {
      const rfork = start('commands', {}, { execArgv: ['--import', early] });
      const { name } = rfork.port.domsg(new Msg({ command: 'who' }));
      wait(rfork.terminate());
      return name;
    });
  },

  disposed: () =>
    run(() => {
      const rfork = start('commands');
      rfork[Symbol.dispose]();
      const result = rfork.join();
      const second = start('idle');
      wait(second[Symbol.asyncDispose]());
      return [result, second.state];
    }),

  async unref() {
    start('idle').unref();
    return 'the program ends';
  },

  async many() {
    const n = scale(30, 5);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < n; round++) {
      const rfork = start('commands');
      await run(() => {
        const waiting = create(
          () => thrownBy(() => rfork.port.domsg(new Msg({ command: 'sleep', ms: 1e8 }))).code,
        );
        rfork.port.domsg(new Msg({ command: 'who' }));
        wait(rfork.terminate());
        if (waiting.join() !== 'ERR_LWKT_RFORK_ENDED') throw new Error('not told');
      });
    }
    return { grown: (process.memoryUsage().rss - before) / 2 ** 20 };
  },

  /** Clients and rforks that call each other, pass messages on, give up and are killed: each message has one outcome. */
  async chaos() {
    const seed = Number(process.env.LIBCR_SEED ?? Date.now() % 2 ** 31);
    console.log(`seed ${seed}`);
    const random = generator(seed);
    const rounds = scale(400, 60);
    const counts = { answered: 0, aborted: 0, ended: 0 };
    const failed = [];
    const rforks = [];
    const renew = (i) => {
      rforks[i] = start('commands', {}, { name: `chaos ${i}` });
    };
    for (let i = 0; i < 3; i++) renew(i);
    await run(() => {
      const own = new MsgPort('own');
      const server = create(() => {
        for (const msg of own) msg.replymsg(undefined, msg.data);
      });
      const request = () => {
        const to = random(2) ? own : rforks[random(3)].port;
        switch (random(5)) {
          case 0:
            return { command: 'who' };
          case 1:
            return { command: 'call', to: own, data: random(100) };
          case 2:
            return { command: 'forward', to, hops: 0 };
          case 3:
            return { command: 'sleep', ms: random(5) };
          default:
            return { command: 'hold' };
        }
      };
      const client = () => {
        for (let round = 0; round < rounds; round++) {
          const data = request();
          const giveUp = data.command === 'hold' || data.command === 'forward' || random(4) === 0;
          const msg = new Msg(data, { replyPort: curthread().port });
          try {
            rforks[random(3)].port.sendmsg(msg);
            if (giveUp) {
              if (random(2)) sleep(random(3));
              msg.abortmsg('chaos');
            }
            msg.waitmsg({ timeout: 60_000 });
            counts.answered++;
          } catch (error) {
            if (error.code === 'ABORT_ERR') counts.aborted++;
            else if (error.code === 'ERR_LWKT_RFORK_ENDED') counts.ended++;
            else if (error.code === 'ERR_LWKT_TIMEOUT') throw error;
            else failed.push(shown(error));
          }
        }
      };
      const killer = create(() => {
        for (let kill = 0; kill < scale(12, 3); kill++) {
          sleep(5 + random(60));
          const i = random(3);
          const old = rforks[i];
          renew(i);
          wait(old.terminate());
        }
      });
      const clients = Array.from({ length: 8 }, (_, i) => create(client, { name: `client ${i}` }));
      for (const td of clients) td.join();
      killer.join();
      own.close();
      server.join();
      for (const rfork of rforks) wait(rfork.terminate());
    });
    return {
      total: Object.values(counts).reduce((a, b) => a + b) + failed.length,
      expected: 8 * rounds,
      failed,
    };
  },
});
