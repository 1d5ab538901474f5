// Messages between rforks. See rfork.test.ts.
import { readFile } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { create, curthread, Msg, MsgPort, Rfork, run, yieldNow } from '@libcr/core';
import { main, processorsUsed, scale, shown, thrownBy } from '../check.mjs';

const child = new URL('./rfork-child.mjs', import.meta.url);
const start = (name, role = 'commands', more = {}) =>
  new Rfork(child, { name, data: { role, name, ...more } });
const ask = (rfork, command, more) => rfork.port.domsg(new Msg({ command, ...more }));

/** Runs `body` on a userthread with rforks of these names, and ends them. */
async function withRforks(names, body) {
  const rforks = names.map((name) => start(name));
  try {
    return await run(() => body(...rforks));
  } finally {
    for (const rfork of rforks) rfork.port.close();
    await Promise.all(rforks.map((rfork) => rfork.finished));
  }
}

main({
  async values() {
    const echo = new Rfork(child, { data: 'echo' });
    const cyclic = { list: [1, 2] };
    cyclic.self = cyclic;
    const values = [
      undefined,
      null,
      true,
      false,
      0,
      -0,
      Number.NaN,
      1.5,
      2 ** 40,
      '',
      'latin é',
      'wide 漢字 😀',
      10n ** 30n,
      new Date(5),
      /x/gi,
      new Map([[{ a: 1 }, new Set([1])]]),
      Object.assign([], { 2: 'sparse' }),
      { a: { b: [] } },
      new Uint8Array([1, 2]),
      Buffer.from('pooled'),
      new Error('as data'),
      cyclic,
      'x'.repeat(1e6),
    ];
    const { deepStrictEqual } = await import('node:assert');
    await run(() => {
      for (const value of values) {
        const back = echo.port.domsg(new Msg(value));
        // a Buffer is a Uint8Array on the other side, as with postMessage
        deepStrictEqual(Buffer.isBuffer(value) ? Buffer.from(back) : back, value);
      }
      echo.port.close();
      echo.join();
    });
    return values.length;
  },

  who: () =>
    withRforks(['one', 'two'], (one, two) => ({
      answers: [ask(one, 'who'), ask(two, 'who')],
      ids: [one.id, two.id],
      here: curthread().rfork,
      shown: String(one),
      port: String(one.port),
    })),

  async asynchronously() {
    return withRforks(['one'], (one) => {
      const mine = curthread().port;
      const replies = new MsgPort('replies');
      const messages = [1, 2, 3].map(
        (n) => new Msg({ command: 'kept', name: n }, { replyPort: n === 3 ? replies : undefined }),
      );
      ask(one, 'keep', { name: 1, value: 'first' });
      for (const msg of messages) one.port.sendmsg(msg);
      const states = messages.map((msg) => msg.state);
      const second = messages[1].waitmsg() ?? 'nothing';
      const first = mine.waitport();
      return {
        states,
        first: [first === messages[0], first.result],
        second,
        third: replies.waitport() === messages[2],
        after: messages.map((msg) => msg.state),
        again: one.port.domsg(messages[0]),
      };
    });
  },

  errors: () =>
    withRforks(['one'], (one) => {
      const failure = (kind) => {
        try {
          ask(one, 'fail', { kind });
        } catch (error) {
          return error;
        }
      };
      const coded = failure('coded');
      const cause = failure('cause');
      const aggregate = failure('aggregate');
      return {
        coded: { ...shown(coded), errno: coded.errno, stack: coded.stack.includes('rfork-child.mjs') },
        cause: [shown(cause), shown(cause.cause)],
        aggregate: [shown(aggregate), aggregate.errors.map(shown)],
        dom: shown(failure('dom')),
        nothing: failure('null'),
      };
    }),

  ports: () =>
    withRforks(['one', 'two'], (one, two) => {
      const own = new MsgPort('own');
      const seen = [];
      const server = create(() => {
        for (const msg of own) {
          seen.push(msg.data);
          msg.replymsg(undefined, `own: ${msg.data}`);
        }
      });
      const of1 = ask(one, 'makePort', { name: 'p' });
      const passedAround = (value) => {
        ask(one, 'keep', { name: 'o', value });
        ask(two, 'keep', { name: 'o', value: ask(one, 'kept', { name: 'o' }) });
        return ask(two, 'kept', { name: 'o' });
      };
      const answers = {
        // ours, used there
        used: ask(one, 'call', { to: own, data: 1 }),
        // theirs, used here; the same each time it comes
        theirs: of1.domsg(new Msg('hello')),
        same: ask(one, 'kept', { name: 'p' }) === of1,
        // one's, used by two: no way back by here
        third: ask(two, 'call', { to: of1, data: 'from two' }),
        // ours, home again by way of both
        home: passedAround(own) === own,
        sameThere: ask(one, 'sameAsKept', { name: 'o', value: own }),
        inData: ask(one, 'call', { to: two.port, data: { command: 'who' } }).name,
      };
      own.close();
      server.join();
      return { ...answers, seen };
    }),

  forwards: () =>
    withRforks(['one', 'two'], (one, two) => {
      const own = new MsgPort('own');
      create(() => {
        for (const msg of own) msg.replymsg(undefined, ['home', msg.data.command]);
      });
      const nested = start('three', 'nests');
      const answers = {
        // to another rfork, whose answer comes straight back
        on: ask(one, 'forward', { to: ask(two, 'makePort', { name: 'q' }) }).replace(/: .*/, ''),
        // home: the message is ours, and so is the port that it ends at
        home: ask(one, 'forward', { to: own }),
        // one's own message, taken here first
        nested: nested.port.domsg(new Msg({ command: 'who' })).name,
      };
      // a held message of our own, passed on to another rfork
      const local = new MsgPort('local');
      create(() => one.port.forwardmsg(local.waitport()));
      answers.local = local.domsg(new Msg({ command: 'who' })).name;
      own.close();
      nested.port.close();
      answers.joined = nested.join();
      return answers;
    }),

  transfer: () =>
    withRforks(['one'], (one) => {
      const buffer = new ArrayBuffer(1 << 20);
      const msg = new Msg({ command: 'fill', buffer }, { transfer: [buffer] });
      const length = one.port.domsg(msg);
      const back = ask(one, 'makeBuffer', { size: 1 << 16 });
      const pooled = Buffer.from('pooled').buffer;
      const send = (list) => () =>
        one.port.domsg(new Msg({ command: 'fill', buffer: list[0] }, { transfer: list }));
      const fresh = new ArrayBuffer(8);
      return {
        length,
        here: buffer.byteLength,
        back: [back.byteLength, new Uint8Array(back)[100]],
        detached: thrownBy(send([buffer])),
        pooled: thrownBy(send([pooled])),
        pool: pooled.byteLength > 0,
        twice: thrownBy(send([fresh, fresh])),
        wrong: thrownBy(() => new Msg(1, { transfer: [new Uint8Array(2)] })),
        notAList: thrownBy(() => new Msg(1, { transfer: fresh })),
        untouched: fresh.byteLength,
        local: (() => {
          const port = new MsgPort('local', { putport: (msg) => msg.data });
          return port.domsg(new Msg(fresh, { transfer: [fresh] })) === fresh && fresh.byteLength;
        })(),
      };
    }),

  async shared() {
    const names = ['one', 'two'];
    return withRforks(names, (...rforks) => {
      const shared = new SharedArrayBuffer(4);
      const n = scale(200, 20);
      const clients = rforks.map((rfork) =>
        create(() => {
          for (let i = 0; i < n; i++) ask(rfork, 'increment', { shared });
        }),
      );
      for (const client of clients) client.join();
      // (module (import "m" "memory" (memory 1 1 shared)) (func (export "f") (result i32) i32.const 42))
      const bytes = new Uint8Array([
        0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 14, 1, 1, 109, 6, 109, 101, 109, 111, 114,
        121, 2, 3, 1, 1, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11,
      ]);
      const module = new WebAssembly.Module(bytes);
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      return {
        expected: n * rforks.length,
        value: new Int32Array(shared)[0],
        wasm: ask(rforks[0], 'runWasm', { module, imports: { m: { memory } } }),
      };
    });
  },

  aborts: () =>
    withRforks(['one'], (one) => {
      const ready = new MsgPort('ready');
      const held = (rfork, options, more) => {
        const msg = new Msg({ command: 'hold', ready, ...more });
        // The state as the sender finds it: later the answer may have come.
        const waiting = create(() => ({
          ...thrownBy(() => rfork.port.domsg(msg, options)),
          state: msg.state,
        }));
        ready.waitport().replymsg();
        return { msg, waiting };
      };
      const plain = held(one);
      plain.msg.abortmsg(new Error('no longer'));
      const late = held(one, { timeout: 300 });
      const signalled = new AbortController();
      const signal = held(one, { signal: signalled.signal });
      signalled.abort('by signal');
      // passed on to one that never takes it
      const idle = start('idle', 'idle');
      const on = new Msg({ command: 'forward', to: idle.port });
      one.port.sendmsg(on);
      on.abortmsg('in vain'); // wherever it is by now
      const queued = new Msg(1);
      idle.port.sendmsg(queued);
      queued.abortmsg('still queued');
      const answers = {
        plain: plain.waiting.join(),
        late: late.waiting.join(),
        signal: signal.waiting.join(),
        queued: thrownBy(() => queued.waitmsg()),
        on: thrownBy(() => on.waitmsg()).code,
      };
      const tooLate = new Msg({ command: 'who' });
      one.port.domsg(tooLate);
      tooLate.abortmsg('over');
      answers.tooLate = [tooLate.state, tooLate.result.name];
      create(() => idle.terminate());
      return answers;
    }),

  misuse: () =>
    withRforks(['one'], (one) => {
      const made = ask(one, 'makePort', { name: 'p' });
      const busy = new Msg({ command: 'sleep', ms: 30 });
      one.port.sendmsg(busy);
      const uncloneable = new Msg({ command: 'keep', name: 1, value: () => 1 });
      const wrong = [];
      for (const args of [
        [],
        [1],
        ['bare'],
        ['http://x/y.js'],
        [child, null],
        [child, { name: 1 }],
        [child, { transfer: 1 }],
        [child, { data: () => 1 }],
        [child, { execArgv: 1 }],
      ])
        wrong.push(thrownBy(() => new Rfork(...args)));
      const answers = {
        take: thrownBy(() => made.getport()),
        wait: thrownBy(() => made.waitport()).code,
        iterate: thrownBy(() => [...made]).code,
        busy: thrownBy(() => one.port.sendmsg(busy)).code,
        uncloneable: thrownBy(() => one.port.domsg(uncloneable)),
        state: uncloneable.state,
        answer: thrownBy(() => ask(one, 'unreadable')),
        wrong: wrong.map(({ name, code, class: type, returned }) => code ?? name ?? type ?? returned),
        bare: thrownBy(() => new Rfork('bare')),
        host: thrownBy(() => one.port.domsg(new Msg({ command: 'kept', x: new MessageChannel().port1 }))),
        thread: thrownBy(() => one.port.domsg(new Msg(curthread()))).name,
      };
      made.close();
      answers.closed = [thrownBy(() => made.sendmsg(new Msg(1))).code, ask(one, 'isOpen', { name: 'p' })];
      busy.waitmsg();
      return answers;
    }),

  async onTheLoop() {
    const one = start('one');
    const msg = new Msg({ command: 'who' });
    const blocked = thrownBy(() => one.port.domsg(new Msg(1))).code;
    one.port.sendmsg(msg);
    const { name } = await msg.finished;
    const port = new MsgPort('for await');
    const asked = new Msg({ command: 'call', to: port, data: 5 });
    one.port.sendmsg(asked);
    for await (const request of port) {
      request.replymsg(undefined, request.data + 1);
      break;
    }
    const answer = await asked.finished;
    one.port.close();
    return { blocked, name, answer, outcome: await one.finished };
  },

  async released() {
    const { exportedCount } = await import('@libcr/core/internal');
    const n = 200;
    const one = start('one');
    const two = start('two');
    const during = await run(() => {
      for (let i = 0; i < n; i++) {
        const port = new MsgPort('short-lived');
        ask(one, 'keep', { name: i, value: port });
        ask(two, 'keep', { name: i, value: ask(one, 'kept', { name: i }) });
      }
      return exportedCount();
    });
    let after = during;
    for (let round = 0; round < 200 && after > 0; round++) {
      await run(() => {
        for (const rfork of [one, two]) {
          ask(rfork, 'forget');
          ask(rfork, 'collect');
        }
      });
      globalThis.gc();
      await delay(10);
      after = exportedCount();
    }
    one.port.close();
    two.port.close();
    await Promise.all([one.finished, two.finished]);
    return { during, after };
  },

  async manyMessages() {
    const echo = new Rfork(child, { data: 'echo' });
    const n = scale(200_000, 2_000);
    const rss = await run(() => {
      const mine = curthread().port;
      const round = (count) => {
        const messages = Array.from({ length: 64 }, (_, i) => new Msg({ i, text: 'some text' }));
        for (const msg of messages) echo.port.sendmsg(msg);
        for (let i = 64; i < count; i++) echo.port.sendmsg(mine.waitport());
        for (let i = 0; i < 64; i++) mine.waitport();
      };
      round(n / 4);
      const before = process.memoryUsage().rss;
      round(n);
      return process.memoryUsage().rss - before;
    });
    echo.port.close();
    await echo.finished;
    return { grown: Math.round(rss / 2 ** 20) };
  },

  /** A thread that asks again and again leaves everybody else their turn. Each loop goes on until somebody else has done something. */
  async busy() {
    const echo = new Rfork(child, { data: 'echo' });
    const until = (begin) => {
      let done = false;
      let rounds = 0;
      begin(() => {
        done = true;
      });
      while (!done) if (echo.port.domsg(new Msg(++rounds)) !== rounds) throw new Error('wrong answer');
      return rounds > 0;
    };
    const back = new MsgPort('back', { putport: () => 'ran' });
    const one = start('one');
    const result = await run(() => ({
      microtask: until((done) => Promise.resolve().then(done)),
      tick: until((done) => process.nextTick(done)),
      immediate: until((done) => setImmediate(done)),
      timer: until((done) => setTimeout(done, 5)),
      file: until((done) => readFile(new URL(import.meta.url), done)),
      thread: until((done) => create(done, { priority: 1 })),
      promise: until((done) => {
        const msg = new Msg({ command: 'who' });
        one.port.sendmsg(msg);
        msg.finished.then(done);
      }),
      otherThread: until((done) => create(() => done(ask(one, 'sleep', { ms: 5 })))),
      taker: until((done) => {
        const replies = new MsgPort('replies');
        (async () => {
          for await (const msg of replies) return done(msg);
        })();
        one.port.sendmsg(new Msg({ command: 'who' }, { replyPort: replies }));
      }),
      putport: until((done) => {
        const msg = new Msg({ command: 'call', to: back, data: 1 });
        create(() => done(one.port.domsg(msg)));
      }),
    }));
    for (const rfork of [echo, one]) rfork.port.close();
    await Promise.all([echo.finished, one.finished]);
    return result;
  },

  /** Who looks at the inbox while a thread waits on little stack, or for a value that is too deep for it; and while threads only yield. */
  async inPlace() {
    const deep = (n) => {
      let value = [];
      for (let i = 0; i < n; i++) value = [value];
      return value;
    };
    const depth = (value) => {
      let n = 0;
      for (let at = value; at.length > 0; at = at[0]) n++;
      return n;
    };
    const echo = new Rfork(child, { data: 'echo' });
    const call = (data) => echo.port.domsg(new Msg(data));
    const nearly = (n) => (n === 0 ? call('deep down') : nearly(n - 1));
    const result = await run(() => {
      const answers = { deep: [], nearly: [], yields: 0 };
      for (const n of [1, 50, 150])
        for (let i = 0; i < 20; i++) answers.deep.push(depth(call(deep(n))) === n);
      create(
        () => {
          for (let n = 0; n < 300; n += 20) answers.nearly.push(nearly(n));
        },
        { stackSize: 128 * 1024 },
      ).join();
      for (let i = 0; i < 20; i++) {
        const mine = curthread().port;
        echo.port.sendmsg(new Msg(i));
        while (mine.getport() === undefined) yieldNow();
        answers.yields++;
      }
      return {
        deep: answers.deep.every(Boolean),
        nearly: answers.nearly.length,
        yields: answers.yields,
        after: call('after'),
      };
    });
    echo.port.close();
    await echo.finished;
    return result;
  },

  async idle() {
    const rforks = ['one', 'two'].map((name) => start(name));
    await run(() => {
      for (const rfork of rforks) ask(rfork, 'who');
    });
    await delay(300);
    const processors = await processorsUsed(() => delay(1000));
    for (const rfork of rforks) rfork.port.close();
    await Promise.all(rforks.map((rfork) => rfork.finished));
    return { processors };
  },
});
