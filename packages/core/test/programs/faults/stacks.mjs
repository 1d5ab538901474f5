// Errors whose stacks can't be read, or written, as one would think: what is thrown arrives as it is. See stacks.test.ts.
import { create, curthread, Msg, MsgPort, Rfork, run, sleep, wait } from '@libcr/core';
import { main } from '../check.mjs';

/** Reasons by name; each is made afresh. */
const reasons = {
  getterThrows: () =>
    Object.defineProperty(new Error('as it is'), 'stack', {
      get() {
        throw new Error('from the getter of stack');
      },
    }),
  classGetterThrows: () =>
    new (class extends Error {
      get stack() {
        throw new Error('from the getter of stack');
      }
      set stack(_) {
        throw new Error('from the setter of stack');
      }
    })('as it is'),
  proxy: () =>
    new Proxy(new Error('as it is'), {
      get() {
        throw new Error('from a trap');
      },
      getPrototypeOf() {
        throw new Error('from a trap');
      },
      isExtensible() {
        throw new Error('from a trap');
      },
    }),
  revokedProxy: () => {
    const { proxy, revoke } = Proxy.revocable(new Error('as it is'), {});
    revoke();
    return proxy;
  },
  frozen: () => Object.freeze(new Error('as it is')),
  noText: () => Object.assign(new Error('as it is'), { stack: ['no', 'text'] }),
  oddConstructor: () =>
    Object.defineProperty(new Error('as it is'), 'constructor', {
      get() {
        throw new Error('from the getter of constructor');
      },
    }),
};

/** Error.prepareStackTrace by name. */
const formats = {
  asItIs: undefined,
  callSites: (_error, sites) => sites,
  throws: () => {
    throw new Error('from prepareStackTrace');
  },
  waits: (error, sites) => {
    if (curthread().id > 0) sleep(1);
    return `${error}\n${sites.map((site) => `    at ${site}`).join('\n')}`;
  },
};

/** What arrives of a reason, each way that there is for one. */
async function ways(reason) {
  const arrives = [];
  const check = (way, f) => {
    try {
      f();
      arrives.push(`${way}: nothing`);
    } catch (error) {
      if (error !== reason) arrives.push(`${way}: something else`);
    }
  };
  await run(() => {
    check('wait', () => wait(Promise.reject(reason)));
    check('join', () =>
      create(() => {
        throw reason;
      }).join(),
    );
    const early = create(() => {
      throw reason;
    });
    sleep(1); // nobody has asked for it when it ends
    check('late join', () => early.join());
    const port = new MsgPort('fails', {
      putport: (msg) => {
        msg.replymsg(reason);
      },
    });
    check('domsg', () => port.domsg(new Msg(1)));
    if (typeof curthread().stack !== 'string') arrives.push('no stack of its own');
  });
  return arrives;
}

await main({
  async all() {
    const wrong = {};
    const before = Error.prepareStackTrace;
    for (const [format, prepare] of Object.entries(formats))
      for (const [name, reason] of [...Object.entries(reasons), ['plain', () => new Error('as it is')]]) {
        const made = reason(); // V8 asks for a format when the stack is first looked at
        Error.prepareStackTrace = prepare ?? before;
        const seen = await ways(made);
        Error.prepareStackTrace = before;
        if (seen.length > 0) wrong[`${format} ${name}`] = seen;
      }
    return wrong;
  },

  /** The one that decorates is still there where it can be: with a format of one's own, too. */
  async decorated() {
    const before = Error.prepareStackTrace;
    const seen = [];
    for (const prepare of [before, formats.waits]) {
      Error.prepareStackTrace = prepare;
      const reason = new Error('plain');
      await run(
        function waiter() {
          try {
            wait(Promise.reject(reason));
          } catch {}
        },
        { name: 'here' },
      );
      seen.push(/at wait \(userthread #\d+ "here"\)\n.*waiter/.test(reason.stack));
    }
    Error.prepareStackTrace = before;
    return seen;
  },

  /** To another rfork and back. */
  async rfork() {
    const module = (body) =>
      new URL(`data:text/javascript,${encodeURIComponent(`export default () => { ${body} }`)}`);
    const seen = [];
    for (const body of [
      'throw Object.defineProperty(new TypeError("t"), "stack", { get() { throw 1 } })',
      'throw Object.defineProperty(new Error("e"), "code", { enumerable: true, get() { throw 1 } })',
      'Error.prepareStackTrace = (error, sites) => sites; throw new RangeError("r")',
      'throw Object.freeze(new Error("f"))',
    ])
      await new Rfork(module(body)).finished.catch((error) => seen.push(`${error.name} ${error.message}`));
    return seen;
  },

  /** Arguments that are no options, and can't be looked at. */
  async badArguments() {
    const seen = [];
    for (const bad of [reasons.oddConstructor(), reasons.revokedProxy()])
      try {
        create(bad);
      } catch (error) {
        seen.push(error.code);
      }
    return seen;
  },
});
