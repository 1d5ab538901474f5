// Two Workers that wake each other by Atomics.wait and notify, and do nothing else: nanoseconds for one wake-up.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { sampleBlocking } from '../../sample.mjs';

const WAKES = 20_000;
const THERE = 0;
const BACK = 1;

function signal(words, index) {
  Atomics.add(words, index, 1);
  Atomics.notify(words, index);
}

function waitFor(words, index, value) {
  for (;;) {
    const now = Atomics.load(words, index);
    if (now === value) return;
    Atomics.wait(words, index, now);
  }
}

if (isMainThread) {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), { workerData: words });
  let n = 0;
  sampleBlocking(WAKES, () => {
    for (let i = 0; i < WAKES / 2; i++) {
      signal(words, THERE);
      waitFor(words, BACK, ++n);
    }
  });
  worker.terminate();
} else
  for (let n = 1; ; n++) {
    waitFor(workerData, THERE, n);
    signal(workerData, BACK);
  }
