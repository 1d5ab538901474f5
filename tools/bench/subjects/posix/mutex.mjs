// A mutex that nobody else wants, locked and unlocked by a userthread: nanoseconds for both. Argument: local or shared.
import { run } from '@libcr/core';
import { Mutex } from '@libcr/posix-compat';
import { sampleBlocking } from '../../sample.mjs';

const TIMES = 1_000_000;
const mutex = new Mutex({ shared: process.argv[2] === 'shared' });

await run(() =>
  sampleBlocking(TIMES, () => {
    for (let i = 0; i < TIMES; i++) {
      mutex.lock();
      mutex.unlock();
    }
  }),
);
