/**
 * read.ts: what this environment reads from the kernel, and who does: the event loop, or a userthread that waits for signals, which is woken for it without a
 * way through JavaScript; and what environments tell each other they want.
 *
 * Invariants:
 *  - What is waited for stands in the shared buffer before it is looked whether there is another environment to be told (struct shared in addon/signals.h).
 *  - A signal that a thread here has ever blocked or waited for is read here from then on, as the kernel would do with it what its action says; one
 *    that is only subscribed to, as long as somebody is.
 */
import type { UserThread } from '@libcr/core';
import { lwktApi, systemError } from '@libcr/core/internal';
import { native } from './native.ts';
import { buffer } from './siginfo.ts';
import { inWords } from './sigset.ts';

/** struct shared: others wait (2 words), others get all (2), handlers lost, how many others, waiting (2), reading. */
const sharedBuffer = new ArrayBuffer(40);
const shared = new Int32Array(sharedBuffer);
const OTHERS = 5;
const WAITING = 6;
const READING = 8;
const READER_NONE = 0;
const READER_WAITS = 1;
const READER_WOKEN = 2;

let ready: () => void;

/** Who is told that there is something to read. */
export function onReady(listener: () => void): void {
  ready = listener;
}

const id = native.setup(() => ready(), sharedBuffer, buffer, lwktApi);
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

/** What threads here wait for. */
export function setWaiting(low: number, high: number): void {
  Atomics.store(shared, WAITING, low);
  Atomics.store(shared, WAITING + 1, high);
  if (Atomics.load(shared, OTHERS) !== 0) native.tellWaiting();
}

let reader: UserThread | undefined;

/** td, the running thread, is about to wait: instead of the event loop it is to be woken once, when there is something to read. */
export function wakeToRead(td: UserThread): void {
  if (reader !== td) {
    native.setReader();
    reader = td;
  }
  shared[READING] = READER_WAITS;
}

/** Whether td has been woken to read. */
export const isToRead = (td: UserThread): boolean => reader === td && shared[READING] === READER_WOKEN;

/** td has waited, and does not any more. */
export function stopReading(td: UserThread): void {
  if (reader === td) shared[READING] = READER_NONE;
}

/** Whether others wait for that signal, or get all of it. */
export const othersWait = (signo: number): boolean =>
  inWords(shared[0] as number, shared[1] as number, signo);
export const othersSubscribe = (signo: number): boolean =>
  inWords(shared[2] as number, shared[3] as number, signo);
/** How often others have taken handlers from here. */
export const handlersLost = (): number => shared[4] as number;
