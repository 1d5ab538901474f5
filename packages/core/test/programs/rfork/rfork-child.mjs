// What the rforks of rfork.mjs and rfork-ends.mjs run: one module, `data` (or data.role) says which part.
import { create, curthread, Msg, MsgPort, Rfork, sleep, Token, wait } from '@libcr/core';
import { native } from '@libcr/core/internal';

const roles = {
  /** Answers with what it gets. */
  echo(port) {
    for (const msg of port) msg.replymsg(undefined, msg.data);
  },

  /** Runs the named command of each message. */
  commands(port) {
    const kept = new Map();
    const commands = {
      who: () => ({ ...curthread().rfork, thread: curthread().name, port: port.name }),
      fail: ({ kind }) => {
        if (kind === 'coded')
          throw Object.assign(new RangeError('too much'), { code: 'ETOOMUCH', errno: -7 });
        if (kind === 'cause') throw new Error('outer', { cause: new TypeError('inner') });
        if (kind === 'aggregate') throw new AggregateError([new Error('one'), 2], 'several');
        if (kind === 'dom') throw new DOMException('no', 'NotFoundError');
        throw null;
      },
      call: ({ to, data }) => to.domsg(new Msg(data)),
      keep: ({ name, value }) => void kept.set(name, value),
      kept: ({ name }) => kept.get(name),
      forget: () => void kept.clear(),
      collect: () => globalThis.gc(),
      sameAsKept: ({ name, value }) => kept.get(name) === value,
      makeToken: ({ name }) => new Token(name),
      makePort: ({ name }) => {
        const made = new MsgPort(name);
        kept.set(name, made);
        create(() => {
          for (const msg of made)
            msg.replymsg(undefined, `${name} of ${curthread().rfork.name}: ${msg.data}`);
        });
        return made;
      },
      isOpen: ({ name }) => !String(kept.get(name)).includes('closed'),
      fill: ({ buffer }) => new Uint8Array(buffer).fill(7).length,
      makeBuffer: ({ size }) => new Uint8Array(size).fill(9).buffer,
      increment: ({ shared }) => Atomics.add(new Int32Array(shared), 0, 1),
      runWasm: async ({ module, imports }) => (await WebAssembly.instantiate(module, imports)).exports.f?.(),
      /** Counts, not atomically, with the token; blocks with it now and then. */
      count: ({ token, shared, n, seed }) => {
        const words = new Int32Array(shared);
        for (let i = 0; i < n; i++) {
          const hold = token.get();
          const before = words[0];
          for (let spin = (seed * 31 + i * 17) % 50; spin > 0; spin--) words[1] = spin;
          words[0] = before + 1;
          if ((i + seed) % 7 === 0) sleep(0); // lets go, and has it again
          hold.release();
        }
        return words[1] >= 0;
      },
      /** Readers look at two words that writers keep equal. */
      read: ({ token, shared, n }) => {
        const words = new Int32Array(shared);
        let unequal = 0;
        for (let i = 0; i < n; i++) {
          const hold = token.get({ shared: true });
          if (words[0] !== words[1]) unequal++;
          hold.release();
        }
        return unequal;
      },
      write: ({ token, shared, n }) => {
        const words = new Int32Array(shared);
        for (let i = 0; i < n; i++) {
          const hold = token.get();
          words[0]++;
          for (let spin = 0; spin < 20; spin++) words[2] = spin;
          words[1]++;
          hold.release();
        }
      },
      takeAndSleep: ({ lock }) => {
        lock.enter ? lock.enter() : lock.get();
        for (;;) if (lock.enter) sleep(1e8);
      },
      /** Takes two, one inside of the other. */
      both: ({ tokens: [outer, inner], n }) => {
        for (let i = 0; i < n; i++) {
          const first = outer.get();
          inner.get().release();
          first.release();
        }
        return n;
      },
      tryIt: ({ token }) => {
        const hold = token.tryGet();
        hold?.release();
        return hold !== undefined;
      },
      inside: ({ serializer, ms }) => {
        const hold = serializer.enter();
        sleep(ms);
        hold.release();
        return String(serializer);
      },
      unreadable: () => () => 1,
      /** From now on this rfork stands still before it sends an envelope of that kind (src/rfork/wire.ts), until word 0 is set. */
      standStill: ({ kind: which, shared }) => {
        const { send } = native;
        native.send = (to, kind, ...more) => {
          if (kind === which) Atomics.wait(new Int32Array(shared), 0, 0);
          return send(to, kind, ...more);
        };
      },
      sleep: ({ ms }) => sleep(ms),
    };
    for (const msg of port) {
      if (msg.data.command === 'hold') {
        create(() => hold(msg));
        continue;
      }
      if (msg.data.command === 'route') {
        const next = msg.data.path.shift();
        if (next !== undefined) next.forwardmsg(msg);
        else create(() => hold(msg));
        continue;
      }
      if (msg.data.command === 'forward') {
        try {
          if (msg.data.hops !== undefined && ++msg.data.hops > 6) msg.replymsg(undefined, 'round and round');
          else msg.data.to.forwardmsg(msg);
        } catch (error) {
          msg.replymsg(error); // it has ended to which the message was to go
        }
        continue;
      }
      create(() => {
        try {
          const result = commands[msg.data.command](msg.data);
          const value = typeof result?.then === 'function' ? wait(result) : result;
          const transfer = value instanceof ArrayBuffer ? [value] : undefined;
          msg.replymsg(undefined, value, { transfer });
        } catch (error) {
          msg.replymsg(error);
        }
      });
    }
    return 'closed';
  },

  returns: (_port, data) => data.value,
  async asynchronous(_port, data) {
    return data.value;
  },
  throws() {
    throw new RangeError('main throws');
  },
  exits() {
    process.exit(7);
  },
  uncaught() {
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
    sleep(1e8);
  },
  /** Takes messages and never answers; says by an own message to `ready` when it has `count` of them. */
  keeps(port, { ready, count, then }) {
    const all = [];
    for (const msg of port) {
      all.push(msg);
      if (all.length === count) break;
    }
    ready.sendmsg(new Msg('ready'));
    if (then === 'exit') process.exit(3);
    if (then === 'throw') throw new Error('main gives up');
    if (then === 'spin') for (;;);
    sleep(1e8);
  },
  /** Fails when another rfork has ended. */
  asks: (_port, { to }) => to.domsg(new Msg({ command: 'sleep', ms: 1e8 })),
  /** Runs for ever, once it is asked to for the second time. */
  spins(port) {
    port.waitport().replymsg();
    port.waitport();
    for (;;);
  },
  /** Takes nothing. */
  idle() {
    sleep(1e8);
  },
  /** An rfork of an rfork. */
  nests(port, { name }) {
    const inner = new Rfork(new URL(import.meta.url), { name: `${name} inner`, data: { role: 'commands' } });
    for (const msg of port) inner.port.forwardmsg(msg);
    inner.port.close();
    return inner.join();
  },
};

/** Answers when the sender no longer wants it, and says why. */
function hold(msg) {
  msg.data.ready?.sendmsg(new Msg(msg.signal.aborted ? 'held in vain' : 'held'));
  try {
    sleep(1e8, { signal: msg.signal });
  } catch (error) {
    msg.replymsg(undefined, `stopped: ${error.cause?.message ?? error.cause}`);
  }
}

export default function main(port, data) {
  return roles[data?.role ?? data](port, data);
}
