// Blocking a signal and unblocking it: nanoseconds for one call.
import { run } from '@libcr/core';
import { SigSet, sigprocmask } from '@libcr/signals';
import { sampleBlocking } from '../../sample.mjs';

const CALLS = 1_000_000;
const set = new SigSet(['SIGUSR2', 'SIGRTMIN']);

await run(() =>
  sampleBlocking(CALLS, () => {
    for (let i = 0; i < CALLS / 2; i++) sigprocmask('setmask', sigprocmask('block', set));
  }),
);
