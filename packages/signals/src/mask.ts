/**
 * mask.ts: sigprocmask(), of the running userthread.
 *
 * A mask is two words of its thread's; the kernel is not asked. What is pending is known without it, too, but for what has come from other processes since the
 * event loop has turned last: so the end of a time for which something was blocked looks, if it was long enough for another process to have done anything.
 */
import { curthread } from '@libcr/core';
import { inspectAsString, invalidType, invalidValue } from '@libcr/core/internal';
import { drain, recheckAll } from './deliver.ts';
import { askToLook, asSender } from './handlers.ts';
import { read } from './read.ts';
import { type Signals, SigSet, setOf } from './sigset.ts';
import { setMask, stateOf, type ThreadSignals } from './thread.ts';

/** SIGKILL and SIGSTOP, which nobody can block; and 32. */
const NEVER_LOW = (1 << 8) | (1 << 18) | (1 << 31);
const NEVER_HIGH = 1; // 33
/** Milliseconds in which no other process has done anything that this one could know of. */
const BRIEF = 0.02;

const clock = performance;

/** How sigprocmask() changes the mask: adds the set, takes it away, or makes it the mask. (SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK) */
export type How = 'block' | 'unblock' | 'setmask';

/** The mask that there was; at the end of a block with `using` it is the mask again. */
export class PreviousMask extends SigSet {
  /** Makes it the mask of the running userthread. */
  [Symbol.dispose](): void {
    change(stateOf(curthread()), this.low, this.high);
  }
}

inspectAsString(PreviousMask);

function previous(low: number, high: number): PreviousMask {
  const set = Object.create(PreviousMask.prototype) as { low: number; high: number };
  set.low = low;
  set.high = high;
  return set as PreviousMask;
}

/** The running thread's mask is another from now on; what is pending and no longer blocked is delivered before this returns. */
export function change(state: ThreadSignals, newLow: number, newHigh: number): void {
  const low = newLow & ~NEVER_LOW;
  const high = newHigh & ~NEVER_HIGH;
  const freedLow = state.low & ~low;
  const freedHigh = state.high & ~high;
  const newly = (low & ~state.low) | (high & ~state.high);
  if (newly !== 0) {
    read(low, high);
    if ((state.low | state.high) === 0) state.blockedAt = clock.now();
  }
  setMask(state, low, high);
  if ((freedLow | freedHigh) === 0) return;
  const looksLong = clock.now() - state.blockedAt > BRIEF;
  asSender(state.td, () => {
    if (looksLong) drain();
    recheckAll(freedLow, freedHigh);
  });
  if (state.deliverable) askToLook(state);
}

/**
 * Changes the running userthread's mask: signals that are blocked stay pending, those for the process as long as all threads that could take them block them. Returns what
 * the mask was; without arguments that is all. What is pending and no longer blocked is delivered before it returns. Userthreads inherit the mask of those that
 * create them. SIGKILL and SIGSTOP are left out. Never blocks, and is no system call; but the first time for a signal it interrupts each kernel thread of the
 * process. Throws TypeError and RangeError, and what handlers throw. (pthread_sigmask)
 */
export function sigprocmask(how?: How, set?: Signals): PreviousMask {
  const state = stateOf(curthread());
  const { low, high } = state;
  if (how === undefined && set === undefined) return previous(low, high);
  if (typeof how !== 'string') throw invalidType('how', 'of type string', how);
  const words = setOf(set, 'sigprocmask');
  if (how === 'block') change(state, low | words.low, high | words.high);
  else if (how === 'unblock') change(state, low & ~words.low, high & ~words.high);
  else if (how === 'setmask') change(state, words.low, words.high);
  else
    throw invalidValue(`The argument 'how' must be one of: 'block', 'unblock', 'setmask'. Received '${how}'`);
  return previous(low, high);
}
