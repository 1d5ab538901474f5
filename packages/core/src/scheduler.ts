/**
 * scheduler.ts: the life of a userthread, seen from JavaScript: create, run, finish. The run queue and the switch are native.
 *
 * Invariant: threads[slot] is the thread that the native side means by slot, from create to finish.
 */

import { constants } from 'node:os';
import { followSignal } from './abort-signal.ts';
import { beforeScope, createScope } from './async-context.ts';
import { blockUntil, curthread, setCurrent, thread0, wake } from './block.ts';
import { watchForDeadlock } from './deadlock.ts';
import { CodedError, invalidType, outOfRange, systemError, wouldBlock } from './errors.ts';
import { native } from './native.ts';
import { dropAll } from './token/lock.ts';
import { checkPriority, describe, PRIORITY_DEFAULT, UserThread, type WaitOptions } from './userthread.ts';
import { wait } from './wait.ts';

export interface CreateOptions {
  /** Shown in errors, lists and reports; "userthread" if absent. The native side cuts it at 31 bytes. */
  name?: string | undefined;
  /** 0 to 31, 12 if absent. */
  priority?: number | undefined;
  /** Bytes of stack, 131,072 to 67,108,864, rounded up to a power of two; 262,144 if absent. Committed as it is used. */
  stackSize?: number | undefined;
  /** Aborts the thread when it is aborted, as td.abort(signal.reason). */
  signal?: AbortSignal | undefined;
  /** Not reported as deadlocked if it still waits when the program has nothing left to do: for servants that wait for ever. */
  daemon?: boolean | undefined;
  /** The port its system calls go to, and its children's; absent: its creator's. (@libcr/syscalls: sys.with(…)) */
  syscallPort?: unknown;
}

/** V8 compiles no function with less than 40 KiB of stack left: in 64 KiB, less what is kept for C++, hardly anything would run. */
const STACK_MIN = 128 * 1024;
export const STACK_DEFAULT: number = 256 * 1024;
const STACK_MAX = 64 * 1024 * 1024;

const threads: (UserThread | undefined)[] = [];
let lastId = 0;

/** The id of a userthread that is to be created. */
export function nextId(): number {
  return ++lastId;
}

/** All userthreads of this rfork that have not finished. */
export function userthreads(): UserThread[] {
  return threads.filter((td) => td !== undefined);
}

/** The thread that the native side means by slot. */
export function threadAt(slot: number): UserThread | undefined {
  return threads[slot];
}

/** The outcome is in td. Its slot is free. */
function finish(td: UserThread): void {
  threads[td.slot] = undefined;
  td.slot = -1;
  td.running = 'finished';
  td.main = undefined;
  td.pendingAbort = undefined;
  if (td.holds !== undefined) dropAll(td);
  td.onFinish?.();
  const { joiners, settle } = td;
  if (joiners !== undefined) {
    td.joiners = undefined;
    for (const joiner of joiners) wake(joiner);
  }
  if (!td.failed) {
    settle?.resolve(td.value);
    return;
  }
  const byAbort = td.lastAbort !== undefined && td.error === td.lastAbort; // not for a thread that throws undefined
  if (settle !== undefined) {
    settle.reject(td.error);
  } else if (joiners === undefined && !byAbort) {
    // Nobody has asked for the outcome: a rejected promise puts it under Node's own rule for unhandled rejections. Whoever joins
    // later takes it away again, as a late catch does.
    nameInStack(td);
    td.promise = Promise.reject(td.error);
  }
  if (byAbort) td.promise?.catch(() => {});
}

function nameInStack(td: UserThread): void {
  const { error } = td;
  if (!(error instanceof Error) || typeof error.stack !== 'string') return;
  try {
    error.stack += `\n    in userthread ${describe(td)}`;
  } catch {
    // read-only: it goes on without the name
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function runMain(td: UserThread): unknown {
  const main = td.main as () => unknown; // called as a function: its `this` is not the handle
  const value = main();
  return isThenable(value) ? wait(value) : value; // an async function, say
}

/** Called by the native side on the new thread's stack. Nothing but V8's termination leaves it as an exception. */
function entry(slot: number): void {
  const td = threads[slot] as UserThread;
  setCurrent(td);
  td.running = 'running';
  try {
    if (td.pendingAbort !== undefined) {
      td.lastAbort = td.pendingAbort;
      throw td.pendingAbort;
    }
    beforeScope();
    td.value = td.scope === undefined ? runMain(td) : td.scope.runInAsyncScope(runMain, undefined, td);
  } catch (error) {
    td.failed = true;
    td.error = error;
  }
  td.scope?.emitDestroy();
  finish(td);
  setCurrent(thread0);
}

const ERRNO_TEXT: Record<number, string> = {
  11: 'EAGAIN: too many tasks or too little memory',
  12: 'ENOMEM: out of memory',
};

/** Called by the native side on thread0, when a thread could not get a stack. */
function noStack(slot: number, errno: number): void {
  const td = threads[slot] as UserThread;
  td.failed = true;
  td.error = new CodedError(
    'ERR_LWKT_NO_STACK',
    `userthread ${describe(td)} could not get a stack: ${ERRNO_TEXT[errno] ?? `errno ${errno}`}`,
  );
  finish(td);
}

/** Called by the native side on thread0, when a native userthread has ended. */
function nativeEnded(slot: number, errno: number, result: bigint): void {
  const td = threads[slot] as UserThread;
  const abort = td.pendingAbort;
  const { EINTR, ECANCELED } = constants.errno;
  td.value = result;
  td.failed = errno !== 0;
  if (abort !== undefined && (errno === EINTR || errno === ECANCELED)) {
    td.lastAbort = abort;
    td.error = abort;
  } else if (td.failed) td.error = systemError(errno, td.symbol as string);
  finish(td);
}

native.setup(entry, noStack, {}, () => {}, nativeEnded);

/** The options that all userthreads have. */
export function checkOptions(options: CreateOptions, stackMin: number): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { name, priority, stackSize, signal } = options;
  if (name !== undefined && typeof name !== 'string')
    throw invalidType('options.name', 'of type string', name);
  if (priority !== undefined) checkPriority(priority);
  if (stackSize !== undefined) {
    if (typeof stackSize !== 'number') throw invalidType('options.stackSize', 'of type number', stackSize);
    if (!Number.isInteger(stackSize) || stackSize < stackMin || stackSize > STACK_MAX)
      throw outOfRange('options.stackSize', `an integer >= ${stackMin} and <= ${STACK_MAX}`, stackSize);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidType('options.signal', 'an instance of AbortSignal', signal);
}

const NO_OPTIONS: CreateOptions = {};

/** The thread is aborted when the signal is, until it has finished. */
function obeySignal(td: UserThread, signal: AbortSignal): void {
  if (signal.aborted) td.abort(signal.reason);
  else td.onFinish = followSignal(signal, () => td.abort(signal.reason));
}

/** The native side answered slot: from here on the thread is listed and watched. Throws ERR_LWKT_NO_STACK where that is an error. */
export function enroll(td: UserThread, slot: number, options: CreateOptions): void {
  if (slot < 0)
    throw new CodedError(
      'ERR_LWKT_NO_STACK',
      `no userthread can be created: ${ERRNO_TEXT[-slot] ?? `errno ${-slot}`}`,
    );
  td.slot = slot;
  td.daemon = options.daemon === true;
  threads[slot] = td;
  if (options.signal !== undefined) obeySignal(td, options.signal);
  watchForDeadlock();
}

/**
 * Create a userthread that runs main, an ordinary function which may block: wait(), sleep(), ports, @libcr/syscalls. It begins to run when the
 * event loop or the running userthread next gives way, never inside create(). If main returns a promise (an async function), its outcome
 * is the thread's. Never blocks. Throws TypeError and RangeError for bad arguments, ERR_LWKT_NO_STACK when the environment is ending.
 * (DragonFly: lwkt_create)
 */
export function create<R>(main: () => R, options: CreateOptions = NO_OPTIONS): UserThread<Awaited<R>> {
  if (typeof main !== 'function') throw invalidType('main', 'of type function', main);
  checkOptions(options, STACK_MIN);
  const creator = curthread();
  const td = new UserThread<unknown>(
    nextId(),
    options.name ?? 'userthread',
    main,
    options.priority ?? PRIORITY_DEFAULT,
  );
  td.scope = createScope();
  td.syscallPort = options.syscallPort ?? creator.syscallPort;
  enroll(td, native.create(td.pri, options.stackSize ?? STACK_DEFAULT, td.name), options);
  return td as UserThread<Awaited<R>>;
}

/** Run main as the program's first userthread; the promise is its outcome. The same as create(main, { name: 'main' }).finished. */
export function run<R>(main: () => R, options?: CreateOptions): Promise<Awaited<R>> {
  return create(main, { name: 'main', ...options }).finished;
}

/** What UserThread.join does when it has to wait. */
export function joinThread(td: UserThread, options: WaitOptions | undefined): void {
  const me = curthread();
  if (me === thread0) throw wouldBlock('join()');
  if (td === thread0)
    throw new CodedError('ERR_LWKT_DEADLOCK', 'thread0 never finishes: it cannot be joined');
  td.joiners ??= [];
  td.joiners.push(me);
  try {
    blockUntil(`join ${describe(td)}`, () => td.running === 'finished', options);
  } finally {
    if (td.running !== 'finished') {
      // aborted or late: the outcome is somebody else's affair again
      const rest = td.joiners?.filter((joiner) => joiner !== me);
      td.joiners = rest?.length ? rest : undefined;
    }
  }
}
