/**
 * scheduler.ts: the life of a userthread, seen from JavaScript: create, run, finish. The run queue and the switch are native.
 *
 * Invariant: threads[slot] is the thread that the native side means by slot, from create to finish.
 */

import { isAbortSignal } from '../errors/brands.ts';
import { watchForDeadlock } from '../errors/deadlock.ts';
import { CodedError, invalidType, systemError, wouldBlock } from '../errors/errors.ts';
import { exploring, mayBlock } from '../explore/exploring.ts';
import { native, RUNNING } from '../node/native.ts';
import { type PreemptibleOptions, runPreemptible, sliceOf } from '../preempt/preemption.ts';
import { beforeScope, createScope } from '../state/async-context.ts';
import { lookForDomains } from '../state/domains.ts';
import { dropAll } from '../token/lock.ts';
import { followSignal } from './abort-signal.ts';
import { takeAst } from './ast.ts';
import { blockUntil, curthread, thread0, threads, wake } from './block.ts';
import { checkStackSize, STACK_MIN, setStackDefault, stackDefault } from './stack-size.ts';
import { addToStack } from './stacks.ts';
import { checkPriority, describe, PRIORITY_DEFAULT, UserThread, type WaitOptions } from './userthread.ts';
import { wait } from './wait.ts';

export interface CreateOptions extends PreemptibleOptions {
  /** Shown in errors, lists and reports; "userthread" if absent. The native side cuts it at 31 bytes. */
  name?: string | undefined;
  /** 0 to 31, 12 if absent. */
  priority?: number | undefined;
  /** Bytes of stack, 131,072 to 67,108,864, rounded up to a power of two; if absent what run(), new Rfork() or LIBCR_STACK_SIZE says, or 262,144. Committed as it is used. */
  stackSize?: number | undefined;
  /** Aborts the thread when it is aborted, as td.abort(signal.reason). */
  signal?: AbortSignal | undefined;
  /** Not reported as deadlocked if it still waits when the program has nothing left to do: for servants that wait for ever. Its sleeps and timeouts keep the program alive: it may serve somebody. */
  daemon?: boolean | undefined;
  /** Others have their turn while it computes, too: as if all of main ran in preemptible(). slice is that one's. */
  preemptible?: boolean | undefined;
  /** The port its system calls go to, and its children's; absent: its creator's. (@libcr/syscalls: sys.with(…)) */
  syscallPort?: unknown;
}

export interface RunOptions extends CreateOptions {
  /**
   * Bytes of stack for all userthreads of the program that say nothing else, 131,072 to 67,108,864: this one, those that this rfork creates from now on, and those
   * of the rforks that it starts. It comes before what LIBCR_STACK_SIZE says.
   */
  defaultStackSize?: number | undefined;
}

let lastId = 0;

/** The id of a userthread that is to be created. */
export function nextId(): number {
  return ++lastId;
}

/** All userthreads of this rfork that have not finished. */
export function userthreads(): UserThread[] {
  return threads.filter((td) => td !== undefined);
}

/** Whether td has ended as it has been asked to. Not for a thread that throws undefined. */
export function endsByAbort(td: UserThread): boolean {
  return td.lastAbort !== undefined && td.error === td.lastAbort;
}

/** The outcome is in td. Its slot is free. */
function finish(td: UserThread): void {
  // Nobody has asked for the outcome so far: whoever sees it will want to know whose it is. It may wait, so while it is a thread.
  if (td.failed && td.settle === undefined && td.joiners === undefined && !endsByAbort(td))
    addToStack(td.error, `    in userthread ${describe(td)}`);
  if (native.shared[RUNNING] === td.slot) native.shared[RUNNING] = -1; // it has no handle any more
  threads[td.slot] = undefined;
  td.slot = -1;
  td.running = 'finished';
  td.main = undefined;
  td.pendingAbort = undefined;
  td.locals = undefined;
  if (td.holds !== undefined) dropAll(td);
  td.onFinish?.();
  if (td.groups !== undefined) for (const group of td.groups) group.abandon(); // V8 has ended it: no finally block has run
  const { joiners, settle, owner } = td;
  owner?.ended(td);
  if (joiners !== undefined) {
    td.joiners = undefined;
    for (const joiner of joiners) wake(joiner);
  }
  if (!td.failed) {
    settle?.resolve(td.value);
    return;
  }
  const byAbort = endsByAbort(td);
  if (settle !== undefined) {
    settle.reject(td.error);
  } else if (joiners === undefined && owner === undefined && !byAbort) {
    // Nobody has asked for the outcome: a rejected promise puts it under Node's own rule for unhandled rejections. Whoever joins
    // later takes it away again, as a late catch does.
    td.promise = Promise.reject(td.error);
  }
  if (byAbort) td.promise?.catch(() => {});
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
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
  td.running = 'running';
  td.reason = undefined;
  try {
    if (td.pendingAbort !== undefined) {
      td.lastAbort = td.pendingAbort;
      throw td.pendingAbort;
    }
    lookForDomains();
    beforeScope();
    if (td.ast !== undefined) takeAst(td);
    td.value = td.scope === undefined ? runMain(td) : td.scope.runInAsyncScope(runMain, undefined, td);
    if (td.ast !== undefined) takeAst(td);
  } catch (error) {
    td.failed = true;
    td.error = error;
  }
  td.scope?.emitDestroy();
  finish(td);
}

/** Called by the native side on the thread's stack, where V8 has ended its JavaScript: td.terminate(). No finally block has run, ours neither. */
function terminated(slot: number, preemptions: number): void {
  const td = threads[slot] as UserThread;
  td.slice = 0;
  td.preempted += preemptions;
  td.failed = true;
  td.error = td.termination;
  td.lastAbort = td.termination; // who has asked for it knows
  td.scope?.emitDestroy();
  native.shared[RUNNING] = -1;
  finish(td);
}

const ERRNO_TEXT: Record<number, string> = {
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
  const { EINTR, ECANCELED } = process.getBuiltinModule('node:os').constants.errno;
  td.value = result;
  td.failed = errno !== 0;
  if (abort !== undefined && (errno === EINTR || errno === ECANCELED)) {
    td.lastAbort = abort;
    td.error = abort;
  } else if (td.failed) td.error = systemError(errno, td.symbol as string);
  finish(td);
}

native.setup(entry, noStack, {}, () => {}, nativeEnded, terminated);

/** The options that all userthreads have. */
export function checkOptions(options: CreateOptions, stackMin: number): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { name, priority, stackSize, signal, preemptible } = options;
  if (preemptible !== undefined && typeof preemptible !== 'boolean')
    throw invalidType('options.preemptible', 'of type boolean', preemptible);
  if (name !== undefined && typeof name !== 'string')
    throw invalidType('options.name', 'of type string', name);
  if (priority !== undefined) checkPriority(priority);
  if (stackSize !== undefined) checkStackSize(stackSize, stackMin);
  if (signal !== undefined && !isAbortSignal(signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', signal);
}

const NO_OPTIONS: CreateOptions = {};

/** Calls then when td, which has not finished, has: on its own stack, but curthread() is thread0, and nothing can wait. then must not throw. */
export function whenFinished(td: UserThread, then: () => void): void {
  const before = td.onFinish;
  td.onFinish = () => {
    before?.();
    then();
  };
}

/** The thread is aborted when the signal is, until it has finished. */
function obeySignal(td: UserThread, signal: AbortSignal): void {
  if (signal.aborted) td.abort(signal.reason);
  else
    whenFinished(
      td,
      followSignal(signal, () => td.abort(signal.reason)),
    );
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
  exploring.explorer?.born(td);
  if (options.signal !== undefined) obeySignal(td, options.signal);
  watchForDeadlock();
}

/**
 * create(), of a thread that begins as soon as it can, or when it is woken: `turn`, what it waits for meanwhile. Whoever says that must see to it that nobody else's
 * wake() lets main run early.
 */
export function createThread<R>(
  main: () => R,
  options: CreateOptions,
  turn?: string,
): UserThread<Awaited<R>> {
  if (typeof main !== 'function') throw invalidType('main', 'of type function', main);
  checkOptions(options, STACK_MIN);
  const creator = curthread();
  const slice = options.preemptible === true ? sliceOf(options) : 0;
  const td: UserThread<unknown> = new UserThread<unknown>(
    nextId(),
    options.name ?? 'userthread',
    slice > 0 ? () => runPreemptible(td, main, slice) : main,
    options.priority ?? PRIORITY_DEFAULT,
  );
  td.scope = createScope();
  td.syscallPort = options.syscallPort ?? creator.syscallPort;
  if (creator.signals !== undefined) td.signals = creator.signals.inherit(td);
  const nostart = turn !== undefined;
  if (nostart) {
    td.running = 'blocked';
    td.reason = turn;
  }
  enroll(td, native.create(td.pri, options.stackSize ?? stackDefault(), td.name, nostart), options);
  return td as UserThread<Awaited<R>>;
}

/**
 * Create a userthread that runs main, an ordinary function which may block: wait(), sleep(), ports, @libcr/syscalls. It begins to run when the
 * event loop or the running userthread next gives way, never inside create(). If main returns a promise (an async function), its outcome
 * is the thread's. Never blocks. Throws TypeError and RangeError for bad arguments, ERR_LWKT_NO_STACK when the environment is ending.
 * (DragonFly: lwkt_create)
 */
export function create<R>(main: () => R, options: CreateOptions = NO_OPTIONS): UserThread<Awaited<R>> {
  return createThread(main, options);
}

/**
 * Run main as the program's first userthread; the promise is its outcome. The same as create(main, { name: 'main' }).finished, but for defaultStackSize. Never
 * blocks. Throws as create() does.
 */
export function run<R>(main: () => R, options?: RunOptions): Promise<Awaited<R>> {
  const size = options?.defaultStackSize;
  if (options === undefined || size === undefined) return create(main, { name: 'main', ...options }).finished;
  checkStackSize(size, STACK_MIN, 'options.defaultStackSize');
  const td = create(main, { name: 'main', ...options, stackSize: options.stackSize ?? size });
  setStackDefault(size);
  return td.finished;
}

/** What UserThread.join does when it has to wait. */
export function joinThread(td: UserThread, options: WaitOptions | undefined): void {
  const me = curthread();
  if (me === thread0) throw wouldBlock('join()');
  if (td === thread0)
    throw new CodedError('ERR_LWKT_DEADLOCK', 'thread0 never finishes: it cannot be joined');
  mayBlock('join()');
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
