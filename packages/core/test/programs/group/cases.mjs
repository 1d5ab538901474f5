// What the programs of groups share: one process runs all cases, one after the other, and prints { case: outcome } as its last line.
import { run, wait } from '@libcr/core';

/** A wait that nothing ends but an abort. The timer keeps the loop alive: nothing here is a deadlock. */
export function never() {
  const timer = setTimeout(() => {}, 1_000_000);
  try {
    wait(new Promise(() => {}));
  } finally {
    clearTimeout(timer);
  }
}

export function caught(fn) {
  try {
    return { returned: fn() };
  } catch (error) {
    return error;
  }
}

/** Each case on a userthread; those that are async functions on the event loop. */
export async function all(cases) {
  const outcomes = {};
  for (const [name, fn] of Object.entries(cases)) {
    const onLoop = fn.constructor.name === 'AsyncFunction';
    outcomes[name] = (await (onLoop ? fn() : run(fn))) ?? null;
    console.error(`${name}: done`); // where it hangs is then seen
  }
  console.log(JSON.stringify(outcomes));
}
