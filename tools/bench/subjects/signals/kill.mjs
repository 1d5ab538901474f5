// A userthread sends its own process a signal, whose handler runs: nanoseconds for one.
import { run } from '@libcr/core';
import { kill, sigaction } from '@libcr/signals';
import { sampleBlocking } from '../../sample.mjs';

const SIGNALS = 20_000;
let count = 0;

await run(() => {
  sigaction('SIGUSR2', () => count++);
  sampleBlocking(SIGNALS, () => {
    const until = count + SIGNALS;
    while (count < until) kill(process.pid, 'SIGUSR2');
  });
});
