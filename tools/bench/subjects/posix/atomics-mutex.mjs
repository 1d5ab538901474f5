// The same by hand: a mutex of one word and Atomics, which nobody else wants (Drepper's, of "Futexes Are Tricky").
import { sampleBlocking } from '../../sample.mjs';

const TIMES = 1_000_000;
const words = new Int32Array(new SharedArrayBuffer(4));

function lock() {
  if (Atomics.compareExchange(words, 0, 0, 1) === 0) return;
  while (Atomics.exchange(words, 0, 2) !== 0) Atomics.wait(words, 0, 2);
}

function unlock() {
  if (Atomics.exchange(words, 0, 0) === 2) Atomics.notify(words, 0, 1);
}

sampleBlocking(TIMES, () => {
  for (let i = 0; i < TIMES; i++) {
    lock();
    unlock();
  }
});
