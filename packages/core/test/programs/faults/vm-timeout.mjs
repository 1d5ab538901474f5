// Waits inside scripts of node:vm that V8 is told to terminate when their time is up. See vm-timeout.test.ts.
import vm from 'node:vm';
import { create, run, sleep, yieldNow } from '@libcr/core';
import { main } from '../check.mjs';

Object.assign(globalThis, { sleep, yieldNow, vm });
const codeOf = (fn) => {
  try {
    return fn() ?? 'nothing';
  } catch (error) {
    return error.code ?? error.message;
  }
};
/** Somebody who is not to be hit: computes and waits, for long enough. */
const bystander = (name) =>
  create(
    () => {
      for (let rounds = 0; rounds < 40; rounds++) {
        for (const busy = Date.now() + 2; Date.now() < busy; );
        sleep(1);
      }
      return true;
    },
    { name },
  );

/** On a userthread, with others at work: what fn comes to, and whether they were left alone. */
const beside = (fn) =>
  run(() => {
    const others = [bystander('one'), bystander('two')];
    let ticked = false;
    const timer = setInterval(() => {
      ticked = true;
    }, 5);
    const result = codeOf(fn);
    const spared = others.every((td) => td.join());
    clearInterval(timer);
    return { result, spared, ticked };
  });

await main({
  refused: () => beside(() => vm.runInNewContext('for (;;) sleep(1)', { sleep }, { timeout: 50 })),
  caught: () => beside(() => vm.runInThisContext('for (;;) { try { sleep(1); } catch {} }', { timeout: 50 })),
  yields: () =>
    beside(() => vm.runInThisContext('for (;;) { try { yieldNow(); } catch {} }', { timeout: 50 })),
  script: () =>
    beside(() =>
      new vm.Script('for (;;) sleep(1)').runInContext(vm.createContext({ sleep }), { timeout: 50 }),
    ),
  sigint: () => beside(() => vm.runInThisContext('sleep(1)', { breakOnSigint: true })),
  /** The limit ends the inner script past the inner function's finally; what is outside may wait again. */
  nested: () =>
    beside(() => {
      const inner = codeOf(() =>
        vm.runInThisContext('vm.runInThisContext("for (;;);", { timeout: 100000 })', { timeout: 30 }),
      );
      sleep(1);
      return inner;
    }),
  computes: () => beside(() => vm.runInThisContext('for (;;);', { timeout: 30 })),
  without: () => beside(() => vm.runInNewContext('sleep(5); 42', { sleep })),
  returns: () =>
    beside(() => vm.runInNewContext('() => { sleep(1); return 43; }', { sleep }, { timeout: 1000 })()),
  onThread0: () => codeOf(() => vm.runInNewContext('for (;;);', {}, { timeout: 10 })),
});
