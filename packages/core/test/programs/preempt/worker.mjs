// A Worker whose userthreads compute without end, to be terminated. See preempt.mjs.
import { parentPort } from 'node:worker_threads';
import { create } from '@libcr/core';

const tds = [1, 2, 3].map(() =>
  create(
    () => {
      for (;;) Math.sqrt(2);
    },
    { preemptible: true, slice: 1 },
  ),
);
const timer = setInterval(() => {
  if (!tds.every((td) => td.preemptions > 2)) return;
  clearInterval(timer);
  parentPort.postMessage('all preempted');
}, 1);
