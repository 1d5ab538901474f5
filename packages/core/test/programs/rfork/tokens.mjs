// Tokens and serializers, on one rfork and on several. See tokens.test.ts.
import { create, Msg, MsgPort, Rfork, run, Serializer, sleep, Token, wait, yieldNow } from '@libcr/core';
import { main, scale, thrownBy } from '../check.mjs';

const child = new URL('./rfork-child.mjs', import.meta.url);
const start = (name) => new Rfork(child, { name, data: 'commands' });
const ask = (rfork, command, more) => rfork.port.domsg(new Msg({ command, ...more }));

async function withRforks(names, body) {
  const rforks = names.map(start);
  try {
    return await run(() => body(...rforks));
  } finally {
    for (const rfork of rforks) rfork.port.close();
    await Promise.allSettled(rforks.map((rfork) => rfork.finished));
  }
}

main({
  /** Held, it lets nobody in; blocking lets others in, and it is back afterwards. */
  async letGo() {
    const token = new Token('t');
    const log = [];
    await run(() => {
      const hold = token.get();
      const other = create(() => {
        const mine = token.get();
        log.push('other');
        mine.release();
      });
      log.push(String(token));
      sleep(1);
      log.push('back');
      const third = create(() => {
        const mine = token.get();
        log.push('third');
        yieldNow();
        log.push('third again');
        mine.release();
      });
      yieldNow();
      log.push('still mine');
      hold.release();
      other.join();
      third.join();
      log.push(String(token));
    });
    return log;
  },

  nested: () =>
    run(() => {
      const [a, b] = [new Token('a'), new Token('b')];
      const outer = a.get();
      const second = b.get();
      const inner = a.get();
      const wrong = [thrownBy(() => outer.release()), thrownBy(() => second.release()).code];
      inner.release();
      const still = String(a);
      second.release();
      outer.release();
      const twice = thrownBy(() => outer.release());
      const shared = a.get({ shared: true });
      const alone = thrownBy(() => a.get());
      const again = a.get({ shared: true });
      again.release();
      shared.release();
      const exclusive = a.get();
      const sharedInside = a.get({ shared: true });
      sharedInside.release();
      exclusive.release();
      const elsewhere = a.get();
      const foreign = create(() => thrownBy(() => elsewhere.release()));
      const answer = { wrong, still, twice, alone, foreign: foreign.join(), free: String(b) };
      elsewhere.release();
      return answer;
    }),

  shared: () =>
    run(() => {
      const token = new Token('s');
      const log = [];
      const reader = (name) =>
        create(() => {
          const hold = token.get({ shared: true });
          log.push(`${name} in`);
          hold.release();
        });
      const first = token.get({ shared: true });
      const serializer = new Serializer('keeps the reader in');
      const a = reader('a');
      a.join(); // which lets go of ours, too
      first.release();
      const alone = token.get();
      const waiting = [reader('b'), reader('c')];
      alone.release();
      for (const td of waiting) td.join();
      return { log, serializer: String(serializer) };
    }),

  async inOrder() {
    const tokens = ['a', 'b', 'c'].map((name) => new Token(name));
    let inside = 0;
    let collisions = 0;
    const n = scale(300, 30);
    const worker = (i) => () => {
      for (let round = 0; round < n; round++) {
        // each takes them in another order
        const holds = [0, 1, 2].map((k) => tokens[(i * (k + 1) + k) % 3].get());
        if (inside++ !== 0) collisions++;
        inside--;
        if (round % 3 === 0) yieldNow();
        if (round % 5 === 0) sleep(0);
        for (const hold of holds.reverse()) hold.release();
      }
    };
    const workers = Array.from({ length: 7 }, (_, i) => create(worker(i)));
    await Promise.all(workers.map((td) => td.finished));
    return { collisions, left: tokens.map(String) };
  },

  givesUp: () =>
    run(() => {
      const serializer = new Serializer('busy');
      const token = new Token('t');
      const inside = serializer.enter();
      const other = new Token('other');
      const waiter = create(() => {
        const hold = other.get();
        const late = thrownBy(() => serializer.enter({ timeout: 10 })).code;
        const has = String(other);
        hold.release();
        return { late, has };
      });
      const aborted = create(() => thrownBy(() => serializer.enter()));
      yieldNow();
      aborted.abort('no longer');
      const answer = {
        waiter: waiter.join(),
        aborted: aborted.join(),
        twice: thrownBy(() => serializer.enter()),
        tryTwice: thrownBy(() => serializer.tryEnter()).code,
        tried: create(() => serializer.tryEnter() === undefined).join(),
        state: String(serializer),
      };
      inside.release();
      answer.after = String(serializer);
      answer.wrong = [
        thrownBy(() => new Token(5)).code,
        thrownBy(() => token.get(null)).code,
        thrownBy(() => token.get({ shared: 1 })).code,
        thrownBy(() => token.get({ timeout: -1 })).code ?? 'got it',
        thrownBy(() => serializer.enter({ timeout: 'x' })).code ?? 'got it',
      ];
      return answer;
    }),

  async onTheLoop() {
    return [thrownBy(() => new Token().get()).code, thrownBy(() => new Serializer().enter()).code];
  },

  /** A thread that ends, however, lets go. */
  ends: () =>
    run(() => {
      const token = new Token('t');
      const serializer = new Serializer('s');
      create(() => {
        token.get();
        serializer.enter();
      }).join();
      const thrower = create(() => {
        token.get();
        serializer.enter();
        throw new Error('gone');
      });
      thrownBy(() => thrower.join());
      return [String(token), String(serializer)];
    }),

  serializerKeeps: () =>
    run(() => {
      const serializer = new Serializer('s');
      const log = [];
      const visitors = ['a', 'b', 'c'].map((name) =>
        create(() => {
          const hold = serializer.enter();
          log.push(`${name} in`);
          sleep(2);
          log.push(`${name} out`);
          hold[Symbol.dispose]();
        }),
      );
      for (const td of visitors) td.join();
      return log;
    }),

  across: () =>
    withRforks(['one', 'two', 'three'], (...rforks) => {
      const token = new Token('counter');
      const shared = new SharedArrayBuffer(12);
      const n = scale(300, 20);
      const counters = rforks.flatMap((rfork, i) =>
        [0, 1].map((k) => create(() => ask(rfork, 'count', { token, shared, n, seed: i * 2 + k }))),
      );
      // and here
      const words = new Int32Array(shared);
      for (let i = 0; i < n; i++) {
        const hold = token.get();
        words[0]++;
        hold.release();
        if (i % 10 === 0) sleep(0);
      }
      for (const td of counters) td.join();
      return { count: words[0], expected: n * 7, left: String(token) };
    }),

  readersAndWriters: () =>
    withRforks(['one', 'two'], (one, two) => {
      const token = ask(one, 'makeToken', { name: 'theirs' });
      const shared = new SharedArrayBuffer(12);
      const n = scale(200, 20);
      const readers = [one, two].map((rfork) => create(() => ask(rfork, 'read', { token, shared, n })));
      const writers = [one, two].map((rfork) => create(() => ask(rfork, 'write', { token, shared, n })));
      const unequal = readers.map((td) => td.join());
      for (const td of writers) td.join();
      return { unequal, written: new Int32Array(shared)[0], expected: 2 * n, name: token.name };
    }),

  /** Each rfork gets to know the two in another order, and takes them in another order. */
  crosswise: () =>
    withRforks(['one', 'two'], (one, two) => {
      const [a, b] = [new Token('a'), new Token('b')];
      const n = scale(300, 30);
      const clients = [
        create(() => ask(one, 'both', { tokens: [a, b], n })),
        create(() => ask(two, 'both', { tokens: [b, a], n })),
      ];
      return {
        rounds: clients.map((td) => td.join({ timeout: 60_000 }) === n),
        left: [String(a), String(b)],
      };
    }),

  travel: () =>
    withRforks(['one', 'two'], (one, two) => {
      const token = new Token('home');
      ask(one, 'keep', { name: 't', value: token });
      const theirs = ask(one, 'makeToken', { name: 'theirs' });
      ask(one, 'keep', { name: 'theirs', value: theirs });
      const hold = token.get();
      const busy = ask(one, 'tryIt', { token }); // blocks: lets go meanwhile
      hold.release();
      const serializer = new Serializer('s');
      const inside = serializer.enter();
      const waiting = create(() => ask(two, 'inside', { serializer, ms: 1 }));
      while (!/1 waiting/.test(String(serializer))) sleep(1);
      const state = String(serializer);
      inside.release();
      return {
        home: ask(one, 'kept', { name: 't' }) === token,
        same: ask(one, 'kept', { name: 'theirs' }) === theirs,
        sameThere: ask(one, 'sameAsKept', { name: 't', value: token }),
        busy,
        state,
        there: waiting.join(),
        taken: (() => {
          const mine = theirs.get();
          const text = String(theirs);
          mine.release();
          return text;
        })(),
      };
    }),

  /** An rfork that ends lets go of what its threads have, and takes its own with it. */
  holderEnds: () =>
    run(() => {
      const lasting = start('lasting');
      lasting.finished.catch(() => {});
      const answers = [];
      for (const lock of [new Token('t'), new Serializer('s')]) {
        const holder = start('holder');
        holder.finished.catch(() => {});
        holder.port.sendmsg(new Msg({ command: 'takeAndSleep', lock }));
        while (!/1 in/.test(String(lock))) sleep(1);
        const waiter = create(() => {
          const hold = lock.enter ? lock.enter() : lock.get();
          hold.release();
          return 'got it';
        });
        sleep(5);
        const before = waiter.state;
        wait(holder.terminate());
        answers.push([before, waiter.join(), String(lock)]);
      }
      const theirs = ask(lasting, 'makeToken', { name: 'theirs' });
      const hold = theirs.get();
      const blocked = create(() => {
        const mine = new MsgPort('never');
        return thrownBy(() => mine.waitport({ timeout: 50 })).code;
      });
      const killer = create(() => wait(lasting.terminate()));
      const gone = thrownBy(() => killer.join()).code; // it can't be had again
      hold.release();
      killer.join();
      return {
        answers,
        gone,
        blocked: blocked.join(),
        after: thrownBy(() => theirs.get()).code,
      };
    }),
});
