// A userthread that creates another, waits for its end and begins again: nanoseconds for one. Two switches are part of it.
import { create, run } from '@libcr/core';
import { sampleBlocking } from '../../sample.mjs';

const THREADS = 50_000;
const main = () => 1;

await run(() =>
  sampleBlocking(THREADS, () => {
    for (let i = 0; i < THREADS; i++) create(main).join();
  }),
);
