/**
 * read.ts: what this environment reads from the kernel, and what environments tell each other they want.
 *
 * Invariant: a signal that a thread here has ever blocked or waited for is read here from then on, as the kernel would do with it what its action says; one
 * that is only subscribed to, as long as somebody is.
 */
import { systemError } from '@libcr/core/internal';
import { native } from './native.ts';
import { buffer } from './siginfo.ts';
import { inWords } from './sigset.ts';

const othersBuffer = new ArrayBuffer(24);
const others = new Int32Array(othersBuffer);

let ready: () => void;

/** Who is told that there is something to read. */
export function onReady(listener: () => void): void {
  ready = listener;
}

const id = native.setup(() => ready(), othersBuffer, buffer);
if (id < 0) throw systemError(-id, 'signalfd');

/** This environment's number. */
export const environment: number = id;

let stickyLow = 0;
let stickyHigh = 0;
let subscribedLow = 0;
let subscribedHigh = 0;

function tell(): void {
  native.setReads(stickyLow | subscribedLow, stickyHigh | subscribedHigh);
}

/** They are read here from now on, but for those that can't be: the native half leaves these out. */
export function read(low: number, high: number): void {
  const newLow = stickyLow | low;
  const newHigh = stickyHigh | high;
  if (newLow === stickyLow && newHigh === stickyHigh) return;
  stickyLow = newLow;
  stickyHigh = newHigh;
  tell();
}

/** Somebody here gets all of these, and nobody gets others. */
export function subscribe(low: number, high: number): void {
  subscribedLow = low;
  subscribedHigh = high;
  tell();
  native.setSubscribed(low, high);
}

/** Whether others wait for that signal, or get all of it. */
export const othersWait = (signo: number): boolean =>
  inWords(others[0] as number, others[1] as number, signo);
export const othersSubscribe = (signo: number): boolean =>
  inWords(others[2] as number, others[3] as number, signo);
/** How often others have taken handlers from here. */
export const handlersLost = (): number => others[4] as number;
