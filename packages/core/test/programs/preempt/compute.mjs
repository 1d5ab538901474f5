// Threads that compute until something is so, for the programs beside this one.
import { curthread } from '@libcr/core';

/** Computes until fn() is true, or, where that is what is tested, for ever. */
export function computeUntil(fn) {
  let x = 0;
  // Not fn() alone: where that is, say, a getter of this package's, it is what V8 interrupts mostly, and nobody is preempted there.
  while (!fn()) for (let i = 0; i < 1000; i++) x = (x + Math.sqrt(x + 2)) % 1000;
  return x;
}

/** Computes until the running thread has been preempted n times more. */
export function bePreempted(n = 1) {
  const td = curthread();
  const before = td.preemptions;
  computeUntil(() => td.preemptions >= before + n);
}
