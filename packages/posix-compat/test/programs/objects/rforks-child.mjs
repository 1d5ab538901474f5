// What the rforks of rforks.mjs and chaos.mjs run: the command of each message, on a thread of its own.
import { create, sleep, yieldNow } from '@libcr/core';
import { Barrier, Cond, Mutex, RWLock, Semaphore, Spin } from '@libcr/posix-compat';

/** By the key that the place has been given: so that the threads of this rfork wait at one object, in one queue. */
const objects = new Map();
const at = (type, place) => {
  if (place.key === undefined) return type.at(place);
  if (!objects.has(place.key)) objects.set(place.key, type.at(place));
  return objects.get(place.key);
};

const codeOf = (fn) => {
  try {
    return fn() ?? 'done';
  } catch (error) {
    return error.code;
  }
};

export const commands = {
  /** Counts, not atomically, with the lock. */
  count({ kind, place, shared, n, seed = 1 }) {
    const lock = at({ Mutex, Spin }[kind], place);
    const words = new Int32Array(shared);
    for (let i = 0; i < n; i++) {
      lock.lock();
      const before = words[0];
      if ((i + seed) % 50 === 0) sleep(0); // it is kept while its owner blocks
      words[0] = before + 1;
      lock.unlock();
      if ((i + seed) % 3 === 0) yieldNow();
    }
  },
  /** Says whose turn it is, and waits for its own. */
  play({ cond, mutex, shared, me, n }) {
    const [c, m] = [at(Cond, cond), at(Mutex, mutex)];
    const words = new Int32Array(shared);
    m.lock();
    for (let i = 0; i < n; i++) {
      while (words[0] !== me) c.wait(m);
      words[0] = 1 - me;
      c.signal();
    }
    m.unlock();
    return words[0];
  },
  take({ place, n = 1, timeout }) {
    const semaphore = at(Semaphore, place);
    return codeOf(() => {
      for (let i = 0; i < n; i++) semaphore.wait(timeout === undefined ? undefined : { timeout });
    });
  },
  give({ place, n }) {
    const semaphore = at(Semaphore, place);
    for (let i = 0; i < n; i++) {
      semaphore.post();
      if (i % 5 === 0) yieldNow();
    }
  },
  meet({ place, shared, rounds, parties }) {
    const barrier = at(Barrier, place);
    const words = new Int32Array(shared);
    let [serials, wrong] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      Atomics.add(words, round, 1);
      if (barrier.wait() === -1) serials++;
      if (Atomics.load(words, round) !== parties) wrong++;
    }
    return { serials, wrong };
  },
  /** Readers look at two words that writers keep equal. */
  readOrWrite({ place, shared, n, seed }) {
    const lock = at(RWLock, place);
    const words = new Int32Array(shared);
    let wrong = 0;
    for (let i = 0; i < n; i++) {
      if ((i + seed) % 4 === 0) {
        lock.writeLock();
        words[0]++;
        if (i % 8 === 0) sleep(0);
        words[1]++;
        lock.unlock();
      } else {
        lock.readLock();
        const first = words[0];
        if (i % 9 === 0) yieldNow();
        if (first !== words[1] || words[0] !== first) wrong++;
        lock.unlock();
      }
    }
    return wrong;
  },
  /** Keeps it, and says so. */
  hold({ place, shared }) {
    at(Mutex, place).lock();
    Atomics.store(new Int32Array(shared), 0, 1);
    sleep(60_000);
  },
  lockAndUnlock({ place }) {
    const mutex = at(Mutex, place);
    mutex.lock();
    sleep(0);
    mutex.unlock();
  },
  /** Waits for one wake-up. */
  waitAt({ cond, mutex, shared }) {
    const m = at(Mutex, mutex);
    m.lock();
    Atomics.add(new Int32Array(shared), 0, 1);
    at(Cond, cond).wait(m);
    m.unlock();
  },
  readOnce({ place, shared }) {
    const lock = at(RWLock, place);
    lock.readLock();
    Atomics.add(new Int32Array(shared), 0, 1);
    while (Atomics.load(new Int32Array(shared), 1) === 0) sleep(1);
    lock.unlock();
  },
  writeOnce({ place }) {
    const lock = at(RWLock, place);
    lock.writeLock();
    sleep(0);
    lock.unlock();
  },
  lock: ({ place }) => codeOf(() => void at(Mutex, place).lock()),
};

export default function main(port) {
  for (const msg of port)
    create(() => {
      try {
        msg.replymsg(undefined, commands[msg.data.command](msg.data));
      } catch (error) {
        msg.replymsg(error);
      }
    });
}
