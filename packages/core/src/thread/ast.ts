/**
 * ast.ts: what a userthread has to do on its way out of a wait besides what it waits for: the handler of a signal that is for it (@libcr/signals). It is run on the
 * thread's own stack, and may wait in its turn. Unlike an interruption it need not end the wait. (DragonFly: ast, an asynchronous system trap)
 *
 * Invariant: an ast is taken exactly once, and before its thread has ended.
 */
import { native } from '../node/native.ts';
import type { UserThread } from './userthread.ts';

/** A system call that a userthread waits in. */
export interface CallWait {
  /** It ends whatever handler has run, as poll() does; others go on where the handler's action says so. */
  readonly always: boolean;
  /** Set by who has run a handler: the call ends with EINTR, or with what it has done so far. */
  interrupted: boolean;
}

/** What a package keeps for a userthread, and its children get in turn. */
export interface Inherited {
  /** What child, which is being created, has; undefined: nothing. */
  inherit(child: UserThread): Inherited | undefined;
}

/** Whether td is to run one here. */
export function hasAst(td: UserThread): boolean {
  return td.ast !== undefined && td.deaf === 0;
}

/** Runs it, on td, which is the running thread. Throws what it throws. */
export function takeAst(td: UserThread): void {
  const { ast } = td;
  td.ast = undefined;
  ast?.();
}

/** td, which waits or will, is to run it, instead of one that it has not run yet. */
export function postAst(td: UserThread, ast: () => void): void {
  td.ast = ast;
  if (td.slot >= 0) native.schedule(td.slot);
}

/** Whether td, which does not run now, stands in the midst of computing: it has been preempted, and does not go on from a wait. */
export function isPreempted(td: UserThread): boolean {
  return td.running === 'running' && td.id !== 0;
}

/** Whether td runs JavaScript, and has not finished. */
export function isAlive(td: UserThread): boolean {
  return td.running !== 'finished' && td.symbol === undefined;
}

/** Whether td lets go of something when it waits. */
export function holdsTokens(td: UserThread): boolean {
  return td.holds !== undefined;
}

/** What td's package of signals keeps for it. */
export function signalsOf(td: UserThread): Inherited | undefined {
  return td.signals;
}

export function setSignals(td: UserThread, signals: Inherited | undefined): void {
  td.signals = signals;
}

/** The system call that td waits in. */
export function callOf(td: UserThread): CallWait | undefined {
  return td.call;
}

export function setCall(td: UserThread, call: CallWait | undefined): void {
  td.call = call;
}
