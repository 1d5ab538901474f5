/**
 * send.ts: sending signals, and asking what is pending.
 *
 * What goes to another process, and what is queued for one's own, goes by the kernel. What goes to one's own userthreads does not, as the kernel does not know these;
 * nor does a signal to one's own process whose handler would run on its sender at once.
 */
import { curthread, UserThread } from '@libcr/core';
import { invalidType, isAlive, outOfRange, thread0 } from '@libcr/core/internal';
import { arrive, drain, held, isIgnoredByDefault, isQueued, isTaken } from './deliver.ts';
import { checked, posixError } from './errors.ts';
import { askToLook, asSender, handlers } from './handlers.ts';
import { mayQueue } from './limit.ts';
import { isFault, numberOf, type Signal } from './names.ts';
import { ACTION_DEFAULT, ACTION_HANDLER, ACTION_IGNORE, native } from './native.ts';
import { ownInfo, SI_QUEUE, SI_TKILL, SI_USER, type SignalInfo, words } from './siginfo.ts';
import { fromWords, type SigSet } from './sigset.ts';
import { stateOf } from './thread.ts';
import { offer } from './wait.ts';

function checkPid(pid: unknown): asserts pid is number {
  if (typeof pid !== 'number') throw invalidType('pid', 'of type number', pid);
  if (!Number.isInteger(pid) || pid < -(2 ** 31) || pid > 2 ** 31 - 1)
    throw outOfRange('pid', 'an integer of 32 bits', pid);
}

/**
 * Sends a signal: to a process; to one's own process group (0); to that process group (-pgid); to all that one may (-1). 0 as the signal sends nothing, and
 * only looks whether one could. To one's own process, where the running userthread does not block it and nobody waits for it: its handler has run when
 * this returns, on this thread. Never blocks otherwise. Throws TypeError and RangeError, EINVAL, EPERM, ESRCH, and what that handler throws. (kill)
 */
export function kill(pid: number, signal: Signal | 0): void {
  checkPid(pid);
  const signo = numberOf(signal, 'kill', 0);
  if (signo === 0 || pid !== process.pid) {
    checked(native.kill(pid, signo), 'kill');
    if (pid <= 0 && signo !== 0) drain();
  } else if (isFault(signo) || atOnce(signo)) toSelf(ownInfo(signo, SI_USER));
  else {
    checked(native.kill(pid, signo), 'kill');
    asSender(curthread(), drain);
  }
}

/** Whether the kernel's result would be that its handler runs here and now. */
function atOnce(signo: number): boolean {
  const td = curthread();
  return (
    td !== thread0 &&
    handlers[signo] !== undefined &&
    !stateOf(td).blocks(signo) &&
    !isQueued(signo) &&
    !isTaken(signo) &&
    !native.isNode(signo)
  );
}

function toSelf(info: SignalInfo): void {
  asSender(curthread(), () => arrive(info, 0));
}

/** The halves of a value: an int, or 64 bits. */
function checkValue(value: unknown): { low: number; high: number } {
  if (typeof value === 'bigint') {
    if (value < -(2n ** 63n) || value >= 2n ** 64n)
      throw outOfRange('value', '>= -2n ** 63n and < 2n ** 64n', value);
    return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
  }
  if (typeof value !== 'number') throw invalidType('value', 'of type number or bigint', value);
  if (!Number.isInteger(value) || value < -(2 ** 31) || value > 2 ** 31 - 1)
    throw outOfRange('value', 'an integer of 32 bits', value);
  return { low: value, high: 0 };
}

/**
 * Sends a signal to a process, with a value: an integer of 32 bits (sival_int), or a bigint of 64 (sival_ptr). Of real-time signals (SIGRTMIN to SIGRTMAX) each is
 * queued, and they arrive in their order; of standard ones one at most is pending. 0 as the signal sends nothing. To one's own process as kill(). Never blocks. Throws
 * TypeError and RangeError, EAGAIN where the queue is full (RLIMIT_SIGPENDING), EINVAL, EPERM, ESRCH. (sigqueue)
 */
export function sigqueue(pid: number, signal: Signal | 0, value: number | bigint = 0): void {
  checkPid(pid);
  const signo = numberOf(signal, 'sigqueue', 0);
  const { low, high } = checkValue(value);
  if (pid === process.pid && isFault(signo)) {
    toSelf(ownInfo(signo, SI_QUEUE, low, BigInt.asUintN(64, BigInt(value))));
    return;
  }
  checked(native.queue(pid, signo, low, high), 'sigqueue');
  if (pid === process.pid && signo !== 0) asSender(curthread(), drain);
}

/**
 * Sends a signal to a userthread of this rfork, perhaps with a value (pthread_sigqueue). Its handler runs on that thread: at once where it waits, and then the wait goes on; at
 * its next wait where it computes; on another userthread where it is thread0, or has been preempted. The thread's mask holds it back, and only its own sigwait() takes it. To
 * oneself: the handler has run when this returns (raise). A signal that ends or stops the process does that, whatever thread it is for. 0 only looks.
 *
 * Never blocks otherwise. Throws TypeError and RangeError, EAGAIN where too many are queued, EINVAL, ESRCH where it has finished, and what the handler throws, if it runs
 * here. (pthread_kill)
 */
export function threadKill(td: UserThread, signal: Signal | 0, value?: number | bigint): void {
  if (!(td instanceof UserThread)) throw invalidType('td', 'an instance of UserThread', td);
  const signo = numberOf(signal, 'pthread_kill', 0);
  const halves = checkValue(value ?? 0);
  if (!isAlive(td)) throw posixError('ESRCH', 'pthread_kill');
  if (signo === 0) return;
  const pointer = BigInt.asUintN(64, BigInt(value ?? 0));
  const info = ownInfo(signo, value === undefined ? SI_TKILL : SI_QUEUE, halves.low, pointer);
  if (offer(info, td)) return;
  const state = stateOf(td);
  const blocked = state.blocks(signo);
  const kind = handlers[signo] !== undefined ? ACTION_HANDLER : native.action(signo) & 3;
  if (!blocked) {
    if (kind === ACTION_IGNORE || (kind === ACTION_DEFAULT && isIgnoredByDefault(signo))) return;
    if (kind === ACTION_DEFAULT) {
      native.byDefault(signo);
      return;
    }
  }
  if (!mayQueue(signo)) throw posixError('EAGAIN', 'pthread_sigqueue');
  state.add(info);
  if (!blocked) askToLook(state);
}

/** The signals that the running userthread blocks, and that are pending: for it, or for the process. Never blocks. (sigpending) */
export function sigpending(): SigSet {
  const state = stateOf(curthread());
  native.pending();
  const kernel = words();
  const here = held();
  return fromWords(
    (state.pendingLow | here.low | kernel.low) & state.low,
    (state.pendingHigh | here.high | kernel.high) & state.high,
  );
}
