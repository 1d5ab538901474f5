// Threads of two rforks and of the main one that do everything at once with objects that they share. Arguments: seed, rounds for each. Prints the seed first.
// See chaos.test.ts.
import { create, Rfork, run } from '@libcr/core';
import { Cond, Mutex, RWLock, Semaphore } from '@libcr/posix-compat';
import { play, WORDS } from './chaos-child.mjs';

const seed = Number(process.argv[2]) || (Date.now() % 1_000_000) + 1;
const rounds = Number(process.argv[3]) || 2000;
console.log(`seed ${seed}`);

await run(() => {
  const options = { shared: true };
  const [mutex, cond, rwlock] = [new Mutex(options), new Cond(options), new RWLock(options)];
  const semaphore = new Semaphore(3, options);
  const places = {
    mutex: mutex.place,
    cond: cond.place,
    rwlock: rwlock.place,
    semaphore: semaphore.place,
  };
  const shared = new SharedArrayBuffer(32 * 4);
  const data = (n) => ({ places, shared, threads: 6, rounds, seed: seed * 3 + n });
  const child = new URL('./chaos-child.mjs', import.meta.url);
  const rforks = [1, 2].map((n) => new Rfork(child, { name: `chaos ${n}`, data: data(n) }));
  const here = create(() => play(data(0)));
  const outcomes = [here.join(), ...rforks.map((rfork) => rfork.join())];
  const words = new Int32Array(shared);
  const pair = (at) => [words[at], words[at + 1]];
  console.log(
    JSON.stringify({
      faults: outcomes.flatMap(({ faults }) => faults),
      lost: words[WORDS.lost],
      mutex: pair(WORDS.mutex).every((n) => n === words[WORDS.mutex + 2] && n > 0),
      rwlock: pair(WORDS.rwlock).every((n) => n === words[WORDS.rwlock + 2] && n > 0),
      queue: words[WORDS.queue] === words[WORDS.queue + 1] - words[WORDS.queue + 2],
      free: [String(mutex), String(rwlock), String(semaphore)],
      cancelled: outcomes.every(({ cancelled }) => cancelled > 0),
      late: outcomes.some(({ late }) => late > 0),
    }),
  );
});
