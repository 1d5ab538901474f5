// Two userthreads that wake each other by semaphores: nanoseconds for one wake-up.
import { create, run } from '@libcr/core';
import { Semaphore } from '@libcr/posix-compat';
import { sampleBlocking } from '../../sample.mjs';

const WAKES = 200_000;
const [there, back] = [new Semaphore(), new Semaphore()];

await run(() =>
  sampleBlocking(WAKES, () => {
    const answerer = create(() => {
      for (let i = 0; i < WAKES / 2; i++) {
        there.wait();
        back.post();
      }
    });
    for (let i = 0; i < WAKES / 2; i++) {
      there.post();
      back.wait();
    }
    answerer.join();
  }),
);
