/** explored.mjs: what explore() finds where userthreads use this package's locks: each case is the name of what is done wrong, or right. Prints how it ended. */
import { create } from '@libcr/core';
import { explore } from '@libcr/core/explore';
import { Cond, Mutex, RWLock, Semaphore } from '@libcr/posix-compat';

const all = (...bodies) => {
  const tds = bodies.map((body, i) => create(body, { name: `t${i + 1}` }));
  for (const td of tds) td.join();
};

const nested = (outer, inner) => () => {
  outer.lock();
  inner.lock();
  inner.unlock();
  outer.unlock();
};

const cases = {
  abba() {
    const [a, b] = [new Mutex(), new Mutex()];
    all(nested(a, b), nested(b, a));
  },
  ordered() {
    const [a, b] = [new Mutex(), new Mutex()];
    all(nested(a, b), nested(a, b));
  },
  /** It signals before the other one waits, who has looked already. */
  lostSignal() {
    const [mutex, cond] = [new Mutex(), new Cond()];
    let ready = false;
    all(
      () => {
        if (ready) return;
        mutex.lock();
        cond.wait(mutex);
        mutex.unlock();
      },
      () => {
        mutex.lock();
        ready = true;
        cond.signal();
        mutex.unlock();
      },
    );
  },
  signal() {
    const [mutex, cond] = [new Mutex(), new Cond()];
    let ready = false;
    all(
      () => {
        mutex.lock();
        while (!ready) cond.wait(mutex);
        mutex.unlock();
      },
      () => {
        mutex.lock();
        ready = true;
        cond.signal();
        mutex.unlock();
      },
    );
  },
  /** Reads under one hold, and writes under another. */
  readThenWrite() {
    const lock = new RWLock();
    let number = 0;
    const add = () => {
      lock.readLock();
      const before = number;
      lock.unlock();
      lock.writeLock();
      number = before + 1;
      lock.unlock();
    };
    all(add, add);
    if (number !== 2) throw new Error(`${number}, not 2`);
  },
  /** Each needs two of two. */
  semaphores() {
    const places = new Semaphore(2);
    const take = () => {
      places.wait();
      places.wait();
      places.post();
      places.post();
    };
    all(take, take);
  },
};

const { kind = 'nothing', steps = [], runs } = await explore(cases[process.argv[2]]).catch((error) => error);
console.log(JSON.stringify({ kind, steps, runs }));
