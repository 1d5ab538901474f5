// One rfork's part in chaos.mjs: threads that lock, wait, give up and are cancelled at random, and keep account of what they have done.
import { sleep, yieldNow } from '@libcr/core';
import { Cond, Mutex, pthread, RWLock, Semaphore } from '@libcr/posix-compat';

/** Shared words: a pair that a mutex or a rwlock keeps equal, and beside it what has been done to it, counted atomically. */
export const WORDS = { mutex: 0, rwlock: 4, queue: 8, semaphore: 12, lost: 16 };

/** A generator of numbers that can be told to begin again. (xorshift32) */
function generator(seed) {
  let state = (seed * 2654435761) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What giving up and being cancelled are known by; anything else is a fault. */
const givesUp = (error) => error?.code === 'ETIMEDOUT';

export function play({ places, shared, threads, rounds, seed }) {
  const words = new Int32Array(shared);
  const mutex = Mutex.at(places.mutex);
  const cond = Cond.at(places.cond);
  const rwlock = RWLock.at(places.rwlock);
  const semaphore = Semaphore.at(places.semaphore);
  const random = generator(seed);
  const pause = () => {
    const kind = random(8);
    if (kind === 0) sleep(0);
    else if (kind < 3) yieldNow();
  };
  const timeout = () => (random(3) === 0 ? { timeout: random(3) } : undefined);

  /** Changes a pair and its account together; no pause in it may be cancelled halfway. */
  const change = (at) => {
    if (words[at] !== words[at + 1]) Atomics.add(words, WORDS.lost, 1);
    const before = words[at];
    const state = pthread.setCancelState('disable');
    words[at] = before + 1;
    pause();
    words[at + 1] = before + 1;
    Atomics.add(words, at + 2, 1);
    pthread.setCancelState(state);
  };
  const look = (at) => {
    const before = words[at];
    pause();
    if (words[at] !== before || words[at + 1] !== before) Atomics.add(words, WORDS.lost, 1);
  };
  const locked = (lock, fn) => {
    try {
      fn();
    } finally {
      lock.unlock();
    }
  };

  const actions = [
    () => {
      mutex.lock(timeout());
      locked(mutex, () => change(WORDS.mutex));
    },
    () => {
      if (mutex.tryLock() !== undefined) locked(mutex, () => change(WORDS.mutex));
    },
    () => {
      rwlock.readLock(timeout());
      locked(rwlock, () => look(WORDS.rwlock));
    },
    () => {
      rwlock.writeLock(timeout());
      locked(rwlock, () => change(WORDS.rwlock));
    },
    // A queue of which only the length is kept: words[queue] now, words[queue + 1] put so far, words[queue + 2] taken so far.
    () => {
      mutex.lock();
      locked(mutex, () => {
        while (words[WORDS.queue] === 0) cond.wait(mutex, { timeout: 1 + random(3) });
        words[WORDS.queue]--;
        words[WORDS.queue + 2]++;
      });
    },
    () => {
      mutex.lock();
      locked(mutex, () => {
        words[WORDS.queue]++;
        words[WORDS.queue + 1]++;
        if (random(2) === 0) cond.signal();
        else cond.broadcast();
      });
    },
    () => {
      semaphore.wait(timeout());
      try {
        if (Atomics.add(words, WORDS.semaphore, 1) >= 3) Atomics.add(words, WORDS.lost, 1);
        pause();
        Atomics.sub(words, WORDS.semaphore, 1);
      } catch (error) {
        Atomics.sub(words, WORDS.semaphore, 1);
        throw error;
      } finally {
        semaphore.post();
      }
    },
    () => sleep(random(2)),
  ];

  const faults = [];
  let [left, cancelled, late] = [rounds, 0, 0];
  const worker = () => {
    while (left-- > 0) {
      try {
        actions[random(actions.length)]();
      } catch (error) {
        if (!givesUp(error)) throw error;
        late++;
      }
      pause();
    }
  };
  let living = Array.from({ length: threads }, () => pthread.create(worker));
  while (left > 0) {
    sleep(random(4));
    pthread.cancel(living[random(living.length)]);
    living = living.map((td) => {
      if (td.state !== 'finished' || left <= 0) return td;
      if (joined(td)) cancelled++;
      return pthread.create(worker);
    });
  }
  for (const td of living) if (joined(td)) cancelled++;

  /** Whether it was cancelled. */
  function joined(td) {
    try {
      return pthread.join(td) === pthread.CANCELED;
    } catch (error) {
      faults.push(String(error.stack));
      return false;
    }
  }
  return { faults, cancelled, late };
}

export default function main(_port, data) {
  return play(data);
}
