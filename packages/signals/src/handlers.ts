/**
 * handlers.ts: which thread runs a signal's handler, and how it does.
 *
 * It is, if it does not block the signal: who has just sent it; one in sigsuspend(); for a handler that does not restart calls, one that waits in a call; else a servant, a
 * userthread that is made for handlers. A signal that is for one thread only is always that one's.
 *
 * Invariants:
 *  - running[signo] is how many servants run handlers that keep the signal away, and 1 more while one for the process is another thread's: of one signal one at a time.
 *  - A handler runs with its mask added to its thread's; afterwards the mask is what it was before.
 */
import { create, curthread, type UserThread, wait } from '@libcr/core';
import { callOf, isPreempted, postAst, setCall, setSignals, someThread, thread0 } from '@libcr/core/internal';
import { actElsewhere, arrive, recheck, recheckAll } from './deliver.ts';
import { NSIG } from './names.ts';
import { ACTION_DEFAULT, native } from './native.ts';
import { FORWARDED, type SignalInfo } from './siginfo.ts';
import { blocks, onForsaken, setMask, somebodyTakes, stateOf, suspended, ThreadSignals } from './thread.ts';

/** What a signal's handler is called with. What it returns, if it is a promise, is waited for. */
export type SignalHandler = (info: SignalInfo) => unknown;

/** A handler that lives here. */
export interface Handler {
  readonly signo: number;
  readonly call: SignalHandler;
  /** What is blocked while it runs, itself included. */
  readonly low: number;
  readonly high: number;
  readonly blocked: readonly number[];
  readonly restart: boolean;
  readonly once: boolean;
  readonly setter: UserThread;
  /** Its action is another now. */
  removed(): void;
}

/** By signal. */
export const handlers: (Handler | undefined)[] = [];

const running = new Int32Array(NSIG + 1);

/** Handler is its signal's action no more. */
export function forget(handler: Handler): void {
  if (handlers[handler.signo] !== handler) return;
  handlers[handler.signo] = undefined;
  handler.removed();
  recheck(handler.signo);
}

/** Who is sending signals to its own process just now, or blocks some no longer, or has just run a handler: it takes what it does not block. */
let sender: ThreadSignals | undefined;

/** Calls fn, which does not wait; of the signals that come meanwhile those that td, the running thread, does not block are its, and their handlers run before this returns. */
export function asSender(td: UserThread, fn: () => void): void {
  if (td === thread0) {
    fn();
    return;
  }
  const state = stateOf(td);
  const outer = sender;
  sender = state;
  try {
    fn();
  } finally {
    sender = outer;
  }
  if (state.deliverable && !state.looking) look(state);
}

/** Signals for the process that a thread has been chosen for, which has not run their handlers yet. */
const assigned = new Set<SignalInfo>();

/** Chooses the thread. false: nobody can take it now. */
export function give(handler: Handler, info: SignalInfo): boolean {
  const { signo } = info;
  if (running[signo] !== 0) return false;
  const state = chosen(handler, signo);
  if (state?.add(info)) {
    assigned.add(info);
    running[signo] = 1;
    askToLook(state);
    return true;
  }
  if (!somebodyTakes(signo, handler.setter)) return false;
  serve(handler, info);
  return true;
}

/** A thread is done with info that it had: it may go on with the next of that signal. */
function unassign(info: SignalInfo, state?: ThreadSignals): void {
  if (!assigned.delete(info)) return;
  running[info.signo] = (running[info.signo] as number) - 1;
  const outer = sender;
  sender = state;
  try {
    recheck(info.signo);
  } finally {
    sender = outer;
  }
}

onForsaken((info, again) => {
  if (!assigned.has(info)) return;
  unassign(info);
  if (again) arrive(info, FORWARDED);
});

/** The thread that is to run it itself. */
function chosen(handler: Handler, signo: number): ThreadSignals | undefined {
  if (sender !== undefined && !sender.blocks(signo)) return sender;
  for (const state of suspended) if (state.suspension?.over === false && !state.blocks(signo)) return state;
  if (handler.restart) return undefined;
  const interruptible = (td: UserThread): boolean => callOf(td) !== undefined && !blocks(td, signo);
  if (interruptible(handler.setter)) return stateOf(handler.setter);
  let found: UserThread | undefined;
  someThread((td) => {
    if (interruptible(td)) found = td;
    return found !== undefined;
  });
  return found === undefined ? undefined : stateOf(found);
}

// ---------------------------------------------------------------- handlers on servants

interface Servant {
  next: { handler: Handler; info: SignalInfo } | undefined;
}

/** One that has just run a handler, and takes what that has kept away. */
let spare: Servant | undefined;

function serve(handler: Handler, info: SignalInfo): void {
  for (const signo of handler.blocked) running[signo] = (running[signo] as number) + 1;
  if (handler.once) resetByHandler(handler);
  if (spare !== undefined) {
    spare.next = { handler, info };
    spare = undefined;
    return;
  }
  const servant: Servant = { next: { handler, info } };
  create(() => work(servant), { name: 'signals', daemon: true });
}

function work(servant: Servant): void {
  const td = curthread();
  const state = new ThreadSignals(td);
  state.servant = true;
  setSignals(td, state);
  while (servant.next !== undefined) {
    const { handler, info } = servant.next;
    servant.next = undefined;
    state.low = handler.low;
    state.high = handler.high;
    try {
      invoke(handler, info);
    } catch (error) {
      Promise.reject(error); // as that of a userthread that nobody joins
    }
    for (const signo of handler.blocked) running[signo] = (running[signo] as number) - 1;
    spare = servant;
    recheckAll(handler.low, handler.high);
    if (spare === servant) spare = undefined;
  }
}

function invoke(handler: Handler, info: SignalInfo): void {
  wait(handler.call(info));
}

// ---------------------------------------------------------------- handlers on the thread itself

/** It has something pending that it does not block. */
export function askToLook(state: ThreadSignals): void {
  const { td } = state;
  if (state.looking || state === sender) return; // who looks by itself, in a moment
  if (td === curthread() && td !== thread0) look(state);
  else if (td === thread0 || isPreempted(td)) lookFor(state);
  else postAst(td, () => look(state));
}

/** For a thread that can't: the event loop, or one that computes and will go on in the midst of it. */
function lookFor(state: ThreadSignals): void {
  if (state.hasStandIn) return;
  state.hasStandIn = true;
  const standIn = (): void => {
    try {
      look(state);
    } finally {
      state.hasStandIn = false;
      if (state.deliverable) lookFor(state);
    }
  };
  create(standIn, { name: `signals for ${state.td.name}`, daemon: true });
}

/** Delivers what is pending and not blocked. Throws what a handler throws. */
export function look(state: ThreadSignals): void {
  for (;;) {
    const info = state.take(~state.low, ~state.high);
    if (info === undefined) return;
    const handler = handlers[info.signo];
    if (handler === undefined) {
      actElsewhere(info, 0, () => true);
      unassign(info, state);
      continue;
    }
    let thrown = true;
    try {
      runOn(state, handler, info);
      thrown = false;
    } finally {
      if (thrown && state.deliverable) postAst(state.td, () => look(state)); // the rest, at its next wait
    }
  }
}

function runOn(state: ThreadSignals, handler: Handler, info: SignalInfo): void {
  const { td, low, high, suspension } = state;
  const call = callOf(td);
  setCall(td, undefined);
  if (handler.once) resetByHandler(handler);
  setMask(state, low | handler.low, high | handler.high);
  try {
    invoke(handler, info);
  } finally {
    const [wasLow, wasHigh] = [state.low, state.high];
    state.low = low;
    state.high = high;
    setCall(td, call);
    if (call !== undefined && (!handler.restart || call.always)) call.interrupted = true;
    if (suspension !== undefined) suspension.over = true;
    state.looking = true; // look() goes on by itself
    const outer = sender;
    sender = state;
    try {
      recheckAll(wasLow & ~low, wasHigh & ~high);
      unassign(info, state);
    } finally {
      sender = outer;
      state.looking = false;
    }
  }
}

/** (SA_RESETHAND) */
function resetByHandler(handler: Handler): void {
  if (handlers[handler.signo] !== handler) return;
  native.setAction(handler.signo, ACTION_DEFAULT);
  forget(handler);
}
