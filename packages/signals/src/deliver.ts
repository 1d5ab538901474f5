/**
 * deliver.ts: what becomes of a signal that has come for the process.
 *
 * It goes to one thread that waits for it (sigwait); else to all that get all of it (signals(), abortOn(), onsignal()); else its action is done. While nobody can take it,
 * it is queued here; and in the kernel, if there are many. Whose thread runs a handler is in handlers.ts, which this file and that one import from each other: neither
 * uses the other before both are loaded.
 *
 * Invariant: a queue's signals are delivered in its order; what was read later comes after it.
 */
import { forget, give, handlers } from './handlers.ts';
import { NSIG, SIGRTMIN } from './names.ts';
import { ACTION_HANDLER, ACTION_IGNORE, native } from './native.ts';
import { environment, handlersLost, onReady, othersSubscribe, othersWait } from './read.ts';
import {
  BATCH,
  COPY,
  FORWARDED,
  flagsAt,
  infoAt,
  SI_TIMER,
  type SignalInfo,
  TOLD,
  write,
} from './siginfo.ts';
import { highBit, inWords, lowBit } from './sigset.ts';
import { lowest, onThreads, somebodyTakes } from './thread.ts';

interface Queued {
  readonly info: SignalInfo;
  readonly flags: number;
}

const queues: Queued[][] = Array.from({ length: NSIG + 1 }, () => []);
let heldLow = 0;
let heldHigh = 0;

/** So many of one signal wait here before the rest waits in the kernel, and so few before they are read again. */
const MANY = 1024;
const FEW = 256;
let pausedLow = 0;
let pausedHigh = 0;

/** Who takes signals before their actions: wait.ts and subscribe.ts. */
interface Takers {
  /** Gives it to one that waits; false: nobody does. */
  offer(info: SignalInfo): boolean;
  /** Gives it to all that get all of it; false: nobody does. */
  publish(info: SignalInfo): boolean;
  /** Whether one of these would take it. */
  wants(signo: number): boolean;
}

const takers: Takers[] = [];

export function addTakers(...list: Takers[]): void {
  takers.push(...list);
}

/** Whether somebody takes it before its action is done, on any rfork. */
export function isTaken(signo: number): boolean {
  return takers.some((each) => each.wants(signo)) || othersWait(signo) || othersSubscribe(signo);
}

export const isQueued = (signo: number): boolean => queues[signo]?.length !== 0;

/** What waits here for a thread. */
export const held = (): { low: number; high: number } => ({ low: heldLow, high: heldHigh });

// ---------------------------------------------------------------- what comes

const incoming: Queued[] = [];
let dealing = false;
let lost = 0;

function receive(): void {
  for (let turns = 0; turns < 16; turns++) {
    const count = native.receive();
    for (let i = 0; i < count; i++) incoming.push({ info: infoAt(i), flags: flagsAt(i) });
    if (count < BATCH) break;
  }
}

/** Reads what there is, and deals with it. */
export function drain(): void {
  receive();
  deal();
}

/** The same on a thread that waits for signals: what nobody waits for is left to the event loop, as handlers have nothing to do with that thread. */
export function drainToWaiters(): void {
  receive();
  if (dealing) return;
  let dealt = 0;
  for (const { info, flags } of incoming) {
    if ((flags & COPY) !== 0 || !takers.some((each) => each.offer(info))) break;
    dealt++;
  }
  incoming.splice(0, dealt);
  if (incoming.length > 0) native.leaveToLoop();
}

/** In their order, also where somebody's code that is called reads again. */
function deal(): void {
  if (dealing) return;
  dealing = true;
  let dealt = 0;
  try {
    while (dealt < incoming.length) {
      const { info, flags } = incoming[dealt++] as Queued;
      arrive(info, flags);
    }
  } finally {
    // A handler that has run here and now, as its thread has sent the signal itself, may have thrown.
    incoming.splice(0, dealt);
    dealing = false;
    if (incoming.length > 0) native.leaveToLoop();
  }
}

onReady(() => {
  if (handlersLost() !== lost) loseHandlers();
  drain();
  if ((heldLow | heldHigh) !== 0) offerHeld();
});

/** Others have set actions in the place of ours. */
function loseHandlers(): void {
  lost = handlersLost();
  for (const handler of [...handlers]) {
    if (handler === undefined) continue;
    const action = native.action(handler.signo);
    if ((action & 3) !== ACTION_HANDLER || action >>> 2 !== environment) forget(handler);
  }
}

/** Others wait for what is held here. */
function offerHeld(): void {
  for (let signo = lowest(heldLow, heldHigh); signo <= NSIG; signo++) {
    const queue = queues[signo] as Queued[];
    while (queue.length > 0 && othersWait(signo)) {
      const { info, flags } = queue[0] as Queued;
      write(info, flags);
      if (native.pass(0, 0) === 0) break;
      queue.shift();
    }
    note(signo);
  }
}

/** A signal for the process has come here. */
export function arrive(info: SignalInfo, flags: number): void {
  const { signo } = info;
  if ((flags & COPY) !== 0) {
    for (const each of takers) each.publish(info);
    return;
  }
  for (const each of takers) if (each.offer(info)) return;
  if ((flags & FORWARDED) === 0 && othersWait(signo)) {
    write(info, flags);
    if (native.pass(0, 0) > 0) return;
  }
  let taken = false;
  for (const each of takers) taken = each.publish(info) || taken;
  if ((flags & FORWARDED) === 0 && othersSubscribe(signo)) {
    write(info, flags);
    taken = native.pass(0, -1) > 0 || taken;
  }
  if (!taken) accept(info, flags);
}

/** Its action is to be done, after what is queued. */
function accept(info: SignalInfo, flags: number): void {
  const queue = queues[info.signo] as Queued[];
  if (queue.length === 0 && act(info, flags)) return;
  if (info.code === SI_TIMER && countsAsOverrun(queue, info)) return;
  if (info.signo < SIGRTMIN && queue.length > 0) return; // merged
  queue.push({ info, flags });
  note(info.signo);
}

/** Whether a signal of the same timer is queued: one is at most. The kernel, which has given it away, counts anew. */
function countsAsOverrun(queue: Queued[], info: SignalInfo): boolean {
  const at = queue.findIndex((each) => each.info.code === SI_TIMER && each.info.timer === info.timer);
  if (at < 0) return false;
  const earlier = queue[at] as Queued;
  const overrun = earlier.info.overrun + info.overrun + 1;
  queue[at] = { ...earlier, info: { ...earlier.info, overrun } };
  return true;
}

/** A queue has changed. */
function note(signo: number): void {
  const { length } = queues[signo] as Queued[];
  const [low, high] = [lowBit(signo), highBit(signo)];
  const was = inWords(heldLow, heldHigh, signo);
  if (length > 0 !== was) {
    heldLow = was ? heldLow & ~low : heldLow | low;
    heldHigh = was ? heldHigh & ~high : heldHigh | high;
    native.setHeld(heldLow, heldHigh);
  }
  const paused = inWords(pausedLow, pausedHigh, signo);
  if (paused ? length > FEW : length < MANY) return;
  pausedLow = paused ? pausedLow & ~low : pausedLow | low;
  pausedHigh = paused ? pausedHigh & ~high : pausedHigh | high;
  native.setPaused(pausedLow, pausedHigh);
}

/** Somebody may take what is queued of it now. */
export function recheck(signo: number): void {
  const queue = queues[signo] as Queued[];
  if (queue.length === 0) return;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    // It is out of the queue meanwhile: its handler may run here and now, and look again when it ends.
    if (act(next.info, next.flags)) continue;
    queue.unshift(next);
    break;
  }
  note(signo);
}

/** The same for all of these. */
export function recheckAll(low: number, high: number): void {
  let [restLow, restHigh] = [heldLow & low, heldHigh & high];
  while ((restLow | restHigh) !== 0) {
    const signo = lowest(restLow, restHigh);
    restLow &= ~lowBit(signo);
    restHigh &= ~highBit(signo);
    recheck(signo);
  }
}

onThreads(() => {
  if ((heldLow | heldHigh) !== 0) recheckAll(-1, -1);
});

/** The first that is queued of these. */
export function takeQueued(low: number, high: number): SignalInfo | undefined {
  const signo = lowest(heldLow & low, heldHigh & high);
  if (signo === 0) return undefined;
  const info = queues[signo]?.shift()?.info;
  note(signo);
  return info;
}

/** The signal is ignored from now on. */
export function discard(signo: number): void {
  (queues[signo] as Queued[]).length = 0;
  note(signo);
}

// ---------------------------------------------------------------- its action

const IGNORED_BY_DEFAULT: readonly number[] = [17, 18, 23, 28]; // SIGCHLD, SIGCONT, SIGURG, SIGWINCH

export const isIgnoredByDefault = (signo: number): boolean => IGNORED_BY_DEFAULT.includes(signo);

/** Does the action. false: nobody can take it now. */
function act(info: SignalInfo, flags: number): boolean {
  const { signo } = info;
  const handler = handlers[signo];
  if (handler !== undefined) return give(handler, info);
  return actElsewhere(info, flags, (): boolean => somebodyTakes(signo, undefined));
}

/** Does an action that is no handler of ours. Where it is the default one, only if isOpen(). */
export function actElsewhere(info: SignalInfo, flags: number, isOpen: () => boolean): boolean {
  const { signo } = info;
  const action = native.action(signo);
  const kind = action & 3;
  if (kind === ACTION_IGNORE) return true;
  if (kind === ACTION_HANDLER) {
    write(info, flags);
    if (native.pass(0, action >>> 2) > 0) return true; // or else that rfork has just ended
  }
  if (!isOpen()) return false;
  if ((flags & TOLD) === 0 && !isIgnoredByDefault(signo)) native.byDefault(signo);
  return true;
}
