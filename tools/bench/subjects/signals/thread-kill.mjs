// A signal for another userthread, which waits: nanoseconds until its handler has run there, and its sender goes on.
import { create, run, sleep, yieldNow } from '@libcr/core';
import { sigaction, threadKill } from '@libcr/signals';
import { sampleBlocking } from '../../sample.mjs';

const SIGNALS = 50_000;
let count = 0;

await run(() => {
  sigaction('SIGUSR2', () => count++);
  const td = create(() => sleep(2 ** 31 - 1), { daemon: true });
  yieldNow();
  sampleBlocking(SIGNALS, () => {
    for (let i = 0; i < SIGNALS; i++) {
      const before = count;
      threadKill(td, 'SIGUSR2');
      while (count === before) yieldNow();
    }
  });
  td.abort();
});
