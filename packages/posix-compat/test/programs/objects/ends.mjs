// How a program ends in which threads wait. See ends.test.ts.
import { create, sleep } from '@libcr/core';
import { Mutex, Semaphore } from '@libcr/posix-compat';

const cases = {
  deadlock() {
    const [a, b] = [new Mutex(), new Mutex()];
    const both = (first, second) => () => {
      first.lock();
      sleep(1);
      second.lock();
    };
    create(both(a, b), { name: 'a, then b' });
    create(both(b, a), { name: 'b, then a' });
  },
  /** Another rfork might post it: but a daemon keeps no program alive. */
  daemon() {
    const [shared, named] = [new Semaphore(0, { shared: true }), `/libcr-test-${process.pid}`];
    create(() => shared.wait(), { daemon: true });
    const other = Semaphore.open(named, { create: true });
    Semaphore.unlink(named);
    create(() => other.wait(), { daemon: true });
  },
  exit() {
    const shared = new Semaphore(0, { shared: true });
    create(() => shared.wait());
    setTimeout(() => process.exit(3), 5);
  },
};

cases[process.argv[2]]();
