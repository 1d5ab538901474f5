// The same with Atomics.wait and notify: both kernel threads sleep in a futex, and neither has an event loop meanwhile.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { median, report } from '../../sample.mjs';

const ROUNDS = 400;
const PING = 0;
const PONG = 1;
const NEVER = 2;

function main() {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const worker = new Worker(new URL(import.meta.url), { workerData: words });
  const figures = [];
  for (let i = 1; i <= ROUNDS; i++) {
    Atomics.wait(words, NEVER, 0, 2);
    const start = process.hrtime.bigint();
    Atomics.store(words, PING, i);
    Atomics.notify(words, PING);
    while (Atomics.load(words, PONG) !== i) Atomics.wait(words, PONG, i - 1);
    figures.push(Number(process.hrtime.bigint() - start));
  }
  report(median(figures));
  worker.terminate();
}

function answer(words) {
  for (let i = 1; i <= ROUNDS; i++) {
    while (Atomics.load(words, PING) !== i) Atomics.wait(words, PING, i - 1);
    Atomics.store(words, PONG, i);
    Atomics.notify(words, PONG);
  }
}

if (isMainThread) main();
else answer(workerData);
