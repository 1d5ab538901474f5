/**
 * wait.ts: waiting for signals in blocking style: sigwait() and sigsuspend().
 *
 * Invariants:
 *  - Nothing comes here between the last look for what is pending and the entry in the list: what comes later is given to the waiter.
 *  - A signal is given to one waiter; if that one does not return it, it arrives again.
 */
import { curthread, type UserThread, type WaitOptions, yieldNow } from '@libcr/core';
import {
  blockUntil,
  checkWaitOptions,
  holdsTokens,
  isDaemon,
  thread0,
  wake,
  wouldBlock,
} from '@libcr/core/internal';
import { addTakers, arrive, drainToWaiters, takeQueued } from './deliver.ts';
import { posixError } from './errors.ts';
import { hold } from './hold.ts';
import { change } from './mask.ts';
import { native } from './native.ts';
import { isToRead, read, setWaiting, stopReading, wakeToRead } from './read.ts';
import { FORWARDED, infoAt, type SignalInfo } from './siginfo.ts';
import { inWords, type Signals, setOf, setToTake } from './sigset.ts';
import { stateOf, suspended } from './thread.ts';

interface Waiter {
  readonly td: UserThread;
  readonly low: number;
  readonly high: number;
  info: SignalInfo | undefined;
}

const waiters: Waiter[] = [];

function tell(): void {
  let low = 0;
  let high = 0;
  for (const waiter of waiters) {
    if (waiter.info !== undefined) continue;
    low |= waiter.low;
    high |= waiter.high;
  }
  setWaiting(low, high);
}

function waiterFor(signo: number, td: UserThread | undefined): Waiter | undefined {
  return waiters.find(
    (waiter) =>
      waiter.info === undefined &&
      (td === undefined || waiter.td === td) &&
      inWords(waiter.low, waiter.high, signo),
  );
}

/** Gives it to one that waits for it; to td, if it is for that one. false: nobody does. */
export function offer(info: SignalInfo, td?: UserThread): boolean {
  if (waiters.length === 0) return false;
  const waiter = waiterFor(info.signo, td);
  if (waiter === undefined) return false;
  waiter.info = info;
  tell();
  wake(waiter.td);
  return true;
}

addTakers({
  offer: (info) => offer(info),
  publish: () => false,
  wants: (signo) => waiterFor(signo, undefined) !== undefined,
});

/** What is known to be pending. What the kernel has the event loop reads before it sleeps. */
function pendingNow(td: UserThread, low: number, high: number): SignalInfo | undefined {
  return stateOf(td).take(low, high) ?? takeQueued(low, high);
}

/** Milliseconds that a thread goes on taking signals that are there, as long as the scheduler's passes; the clock is looked at once in so many. */
const TURN_MS = 1;
const CALLS = 16;

let caller: UserThread | undefined;
let calls = 0;
let begun = 0;

/** A thread that finds a signal each time never waits: others have their turn now and then. */
function giveWay(td: UserThread): void {
  if (td === thread0) return;
  if (td !== caller) {
    caller = td;
    calls = 0;
  }
  if (++calls % CALLS !== 0) return;
  const now = performance.now();
  if (calls === CALLS) begun = now;
  if (now - begun <= TURN_MS) return;
  calls = 0;
  if (!holdsTokens(td)) yieldNow(); // who holds tokens would let go of them where it need not
}

/**
 * Waits for one of these signals, takes it, and returns what came along; its action is not done. Block them before, in all threads: else one that comes earlier is
 * not waited for. What is pending for the running userthread comes first, then what is for the process; the lowest number first, of one the oldest. Of several that
 * wait, the one that has done so longest gets it. Handlers of other signals run meanwhile.
 *
 * Blocks the running userthread only; on thread0 it throws ERR_LWKT_WOULD_BLOCK unless one is pending. The program stays alive, but for a daemon. options.timeout is in
 * milliseconds, 0 to 2^31-1, 0 only looks: EAGAIN where none has come. options.signal, and td.abort(), end it with an AbortError. EINVAL for signals that
 * nobody can wait for. (sigwaitinfo, sigtimedwait)
 */
export function sigwait(set: Signals, options: WaitOptions = {}): SignalInfo {
  const { low, high } = setToTake(set, 'sigwait');
  checkWaitOptions(options);
  const td = curthread();
  read(low, high);
  giveWay(td);
  const looks = td === thread0 || options.timeout === 0;
  const now = pendingNow(td, low, high) ?? (looks && native.take(low, high) > 0 ? infoAt(0) : undefined);
  if (now !== undefined) return now;
  if (options.timeout === 0) throw posixError('EAGAIN', 'sigtimedwait');
  if (td === thread0) throw wouldBlock('sigwait()', 'or let signals() bring them to the event loop');
  caller = undefined;
  const limited = options.timeout !== undefined || options.signal !== undefined;
  return block({ td, low, high, info: undefined }, limited ? options : undefined);
}

/** Called before each sleep: whether the signal is there. */
function isThere(waiter: Waiter): boolean {
  const { td } = waiter;
  if (waiter.info === undefined && isToRead(td)) drainToWaiters();
  if (waiter.info !== undefined) return true;
  if (!holdsTokens(td)) wakeToRead(td); // who holds tokens is not there before it has them again
  return false;
}

function block(waiter: Waiter, options: WaitOptions | undefined): SignalInfo {
  const { td } = waiter;
  const holds = !isDaemon(td);
  let returned = false;
  waiters.push(waiter);
  tell();
  if (holds) hold(true);
  try {
    blockUntil('sigwait()', () => isThere(waiter), options);
    returned = true;
    return waiter.info as unknown as SignalInfo;
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === 'ERR_LWKT_TIMEOUT')
      throw posixError('EAGAIN', 'sigtimedwait');
    throw error;
  } finally {
    stopReading(td);
    waiters.splice(waiters.indexOf(waiter), 1);
    if (waiter.info === undefined) tell();
    if (holds) hold(false);
    if (!returned && waiter.info !== undefined) arrive(waiter.info, FORWARDED);
  }
}

/**
 * Makes `mask` the running userthread's mask, waits until a handler has run on it, and puts the mask back; without one, waits so with the mask as it is (pause). A signal for the
 * process that it does not block is its. Blocks the running userthread only; on thread0 it throws ERR_LWKT_WOULD_BLOCK. The program stays alive, but for a
 * daemon. options.timeout, options.signal and td.abort() end it as they end core's waits; and so does what the handler throws. (sigsuspend)
 */
export function sigsuspend(mask?: Signals, options: WaitOptions = {}): void {
  const td = curthread();
  if (td === thread0) throw wouldBlock('sigsuspend()', 'or let signals() bring them to the event loop');
  checkWaitOptions(options);
  const state = stateOf(td);
  const { low, high, suspension: outer } = state;
  const wanted = mask === undefined ? { low, high } : setOf(mask, 'sigsuspend', 'mask');
  const suspension = { over: false };
  const holds = !isDaemon(td);
  state.suspension = suspension;
  suspended.add(state);
  if (holds) hold(true);
  try {
    change(state, wanted.low, wanted.high);
    blockUntil('sigsuspend()', () => suspension.over, options);
  } finally {
    if (holds) hold(false);
    state.suspension = outer;
    if (outer === undefined) suspended.delete(state);
    change(state, low, high);
  }
}
