/** native.ts: the native half: what its functions mean. */
import { loadNativeHalf, ownScripts } from '@libcr/core/internal';

/** addon/addon.c and addon/timer.c. Sets of signals are two words; answers below 0 are -errno. */
export interface Native {
  setup(onReady: () => void, shared: ArrayBuffer, buffer: ArrayBuffer, lwktApi: bigint): number;
  /** How many signals are in the buffer now. */
  receive(): number;
  /** onReady is called in the event loop's own context, though there is nothing new. */
  leaveToLoop(): void;
  /** What this environment reads, besides signals that have a handler here. */
  setReads(low: number, high: number): void;
  /** Of those, what stays in the kernel for now. */
  setPaused(low: number, high: number): void;
  /** Others hear what is waited for here: the words are in the shared buffer. */
  tellWaiting(): void;
  /** The running userthread is the one that is woken by the word READING. */
  setReader(): void;
  /** What somebody here gets all of; what waits here for a thread. Others see it. */
  setSubscribed(low: number, high: number): void;
  setHeld(low: number, high: number): void;
  /** A signal's action, 0 to 2 as the constants here. What it was: the kind, and 4 times the number of the environment whose handler it is. */
  setAction(signo: number, kind: number): number;
  action(signo: number): number;
  /** That signal of the buffer goes to others: to an environment; 0: one that waits for it; -1: all that get all of them. How many have got it. */
  pass(index: number, to: number): number;
  kill(pid: number, signo: number): number;
  queue(pid: number, signo: number, low: number, high: number): number;
  /** The kernel's set of pending signals, into the buffer. */
  pending(): void;
  /** Takes one of these, from the kernel or from what has come from others, into the buffer; 0: there is none. */
  take(low: number, high: number): number;
  /** Whether Node gets that signal, too. */
  isNode(signo: number): boolean;
  /** The event loop has one reason more (1), or less (0), to stay alive. */
  hold(on: number): void;
  /** The process does what it does without this package. */
  byDefault(signo: number): void;
  /** Times are ns. */
  timerCreate(clock: number, signo: number, value: number): number;
  timerSet(id: number, absolute: number, first: number, interval: number): number;
  timerLeft(id: number): number;
  timerInterval(id: number): number;
  timerOverrun(id: number): number;
  timerEnd(id: number): number;
  /** Milliseconds, also of what was left. */
  alarm(ms: number): number;
}

export const ACTION_DEFAULT = 0;
export const ACTION_IGNORE = 1;
export const ACTION_HANDLER = 2;

ownScripts(import.meta.url); // a queue that is half changed must not be seen by others: it is not preempted
export const native: Native = loadNativeHalf({ of: '@libcr/signals', name: 'signals', url: import.meta.url });
