// What the conformance programs share. A case is a function that runs on a userthread, and throws where the standard's behaviour is not seen.
import assert from 'node:assert/strict';
import { create, run, sleep, yieldNow } from '@libcr/core';

export { assert };

/** `--list` prints the names of all cases as JSON; a name runs that one. */
export async function conform(cases) {
  const name = process.argv[2];
  if (name === '--list') {
    console.log(JSON.stringify(Object.keys(cases)));
    return;
  }
  if (!Object.hasOwn(cases, name)) throw new Error(`no such case: ${name}`);
  await run(cases[name]);
  console.log('holds');
}

/** Two cases: fn gets the options of an object of one rfork's, and of one in shared memory. */
export const both = (name, fn) => ({
  [name]: () => fn({}),
  [`${name} (in shared memory)`]: () => fn({ shared: true }),
});

/** fn must throw a system error of that name, as C's function would have answered it. */
export function fails(code, syscall, fn) {
  assert.throws(fn, (error) => {
    assert.equal(error.code, code);
    assert.equal(error.syscall, syscall);
    assert.ok(Number.isInteger(error.errno) && error.errno < 0);
    assert.ok(error.message.startsWith(`${code}: `) && error.message.endsWith(`, ${syscall}`));
    return true;
  });
}

/** fn must throw an error with that code. */
export function throwsCode(code, fn) {
  assert.throws(fn, (error) => {
    assert.equal(error.code, code, String(error.stack));
    return true;
  });
}

/** Runs fn on the event loop's own stack, and waits for it. */
export function onThread0(fn) {
  let outcome;
  setImmediate(() => {
    try {
      outcome = { value: fn() };
    } catch (error) {
      outcome = { error };
    }
  });
  while (outcome === undefined) sleep(0);
  if (outcome.error) throw outcome.error;
  return outcome.value;
}

/** A thread that runs fn; returns when it has run as far as it can. */
export function started(fn) {
  const td = create(fn);
  settle();
  return td;
}

/** Lets all others run until they wait. */
export function settle() {
  for (let i = 0; i < 5; i++) yieldNow();
}
