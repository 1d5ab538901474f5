// biome-ignore-all lint/suspicious/noThenProperty: thenables are the subject
// With sinon's fake timers, which Jest and vitest use. See tools.test.ts.

import { create, run, sleep, snapshot, wait } from '@libcr/core';
import FakeTimers from '@sinonjs/fake-timers';
import { main, thrownBy } from '../check.mjs';

const all = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'];
const toFake = [...all, 'Date', 'performance', 'hrtime', 'nextTick', 'queueMicrotask'];
const nested = (depth) => ({
  then(resolve) {
    resolve(depth === 0 ? 'the end' : nested(depth - 1));
  },
});

await main({
  /** Our own work goes on. */
  async goesOn() {
    const clock = FakeTimers.install({ toFake });
    const value = await run(() => wait(nested(3)));
    const { rforks } = await snapshot();
    clock.uninstall();
    return [value, rforks.length];
  },

  /** What a program waits for follows the clock of the test. */
  async follows() {
    const clock = FakeTimers.install({ toFake });
    const slept = create(() => {
      sleep(3_600_000);
      return 'slept for an hour';
    });
    const late = create(() => thrownBy(() => wait(new Promise(() => {}), { timeout: 60_000 })).code);
    await run(() => {}); // both have begun
    const before = [slept.state, late.state];
    clock.tick(60_000);
    const code = await late.finished;
    const then = slept.state;
    clock.tick(3_540_000);
    const value = await slept.finished;
    clock.uninstall();
    return [...before, code, then, value];
  },

  /** A wait that began by one clock ends by it. */
  async changes() {
    const real = create(() => thrownBy(() => sleep(100_000)).code);
    const alsoReal = create(() => {
      sleep(20);
      return 'slept';
    });
    await run(() => {});
    const clock = FakeTimers.install({ toFake });
    const slept = await alsoReal.finished;
    real.abort();
    const aborted = await real.finished;
    const fake = create(() => thrownBy(() => sleep(100_000)).code);
    await run(() => {});
    const timers = clock.countTimers();
    clock.uninstall();
    fake.abort();
    await fake.finished;
    return [slept, aborted, timers, clock.countTimers()]; // and then the program ends at once
  },
});
