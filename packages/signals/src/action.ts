/**
 * action.ts: sigaction(). An action is the process'; a handler lives on the rfork that has set it.
 *
 * Invariant: handlers[signo] is the signal's action exactly while the native side has it as this environment's.
 */
import { curthread } from '@libcr/core';
import { inspectAsString, invalidType } from '@libcr/core/internal';
import { discard, isIgnoredByDefault, recheck } from './deliver.ts';
import { type Handler, handlers, type SignalHandler } from './handlers.ts';
import { Reference } from './hold.ts';
import { checkCatchable, NSIG, nameOf, numberOf, type Signal } from './names.ts';
import { ACTION_DEFAULT, ACTION_HANDLER, ACTION_IGNORE, native } from './native.ts';
import { fromWords, highBit, inWords, lowBit, type Signals, type SigSet, setOf } from './sigset.ts';
import { withPending } from './thread.ts';

export interface ActionOptions {
  /** What is blocked besides the signal itself while the handler runs, on the thread that runs it. */
  mask?: Signals | undefined;
  /** Whether system calls go on that the handler has interrupted; else they end with EINTR. true if absent. (SA_RESTART) */
  restart?: boolean | undefined;
  /** The action is the default one again as soon as the handler begins. (SA_RESETHAND) */
  once?: boolean | undefined;
  /** Keeps the program alive as long as it is the action. */
  ref?: boolean | undefined;
}

/** What a process does with a signal. */
export interface Action {
  /** 'elsewhere': a handler of another rfork's. */
  readonly handler: SignalHandler | 'ignore' | 'default' | 'elsewhere';
  readonly mask: SigSet;
  readonly restart: boolean;
  readonly once: boolean;
}

/** By signal: what has set its action last, here. */
const latest: (SignalAction | undefined)[] = [];

/** The masks that handlers have been given: theirs has the signal itself besides. */
const masks = new WeakMap<Handler, SigSet>();

function actionOf(signo: number): Action {
  const handler = handlers[signo];
  const kind = native.action(signo) & 3;
  if (handler !== undefined && kind === ACTION_HANDLER) {
    const mask = masks.get(handler) as SigSet;
    return { handler: handler.call, mask, restart: handler.restart, once: handler.once };
  }
  return {
    handler: kind === ACTION_IGNORE ? 'ignore' : kind === ACTION_HANDLER ? 'elsewhere' : 'default',
    mask: fromWords(0, 0),
    restart: true,
    once: false,
  };
}

function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

/** An action that has been set: what was there before, and how to go back to it. */
export class SignalAction {
  readonly signal: Signal;
  /** What the action was before. */
  readonly previous: Action;
  readonly #signo: number;
  readonly #kind: number;
  readonly #handler: Handler | undefined;
  readonly #reference = new Reference();

  /** @internal */
  constructor(signo: number, previous: Action, kind: number, handler?: Handler) {
    this.signal = nameOf(signo) as Signal;
    this.previous = previous;
    this.#signo = signo;
    this.#kind = kind;
    this.#handler = handler;
    latest[signo] = this;
  }

  /** Whether it is the signal's action still. */
  get active(): boolean {
    if (latest[this.#signo] !== this || handlers[this.#signo] !== this.#handler) return false;
    return (native.action(this.#signo) & 3) === this.#kind; // another rfork may have set its own
  }

  /** The program stays alive as long as this handler is the action. */
  ref(): this {
    if (this.#handler !== undefined && this.active) this.#reference.held = true;
    return this;
  }

  /** The program need not stay alive for it: so it is at first. */
  unref(): this {
    this.#reference.held = false;
    return this;
  }

  hasRef(): boolean {
    return this.#reference.held;
  }

  /** If it is the action still, the previous one is again; the default one where that was another rfork's handler. */
  [Symbol.dispose](): void {
    if (!this.active) return;
    const { handler, mask, restart, once } = this.previous;
    sigaction(this.signal, handler === 'elsewhere' ? 'default' : handler, { mask, restart, once });
  }

  toString(): string {
    return `SignalAction ${this.signal}${this.active ? '' : ' (no more)'}`;
  }
}

inspectAsString(SignalAction);

/** What signal's action is. Throws as the other form. */
export function sigaction(signal: Signal): Action;
/**
 * Sets the process' action for a signal: 'default' is what it was when the program began, 'ignore' drops it, also what is pending of it. A handler runs on a userthread of
 * the rfork that has called this, with what came along: on the one that the signal is for, if it is for one (threadKill), else on the one that has sent it itself,
 * is in sigsuspend(), or waits in a call that is to end; else on one made for it. While it runs, the signal itself and `mask` are blocked there. It may wait; if it
 * is async, it has ended when its promise is settled. What it throws is thrown by the call that it has interrupted; where there is none it is an unhandled rejection.
 *
 * Returns what to undo it with. Never blocks, but the first time for a signal it interrupts each kernel thread of the process. Handlers end with their rfork.
 *
 * Throws TypeError and RangeError; EINVAL for SIGKILL, SIGSTOP, 32, 33 and what is no signal; ERR_LIBCR_SIGNAL_RESERVED for SIGPROF. (sigaction)
 */
export function sigaction(
  signal: Signal,
  handler: SignalHandler | 'ignore' | 'default',
  options?: ActionOptions,
): SignalAction;
export function sigaction(
  signal: Signal,
  ...rest: [handler?: SignalHandler | 'ignore' | 'default', options?: ActionOptions]
): SignalAction | Action {
  const signo = numberOf(signal, 'sigaction');
  if (rest.length === 0) return actionOf(signo);
  const [handler, options = {}] = rest;
  checkCatchable(signo, 'sigaction');
  if (typeof handler !== 'function' && handler !== 'ignore' && handler !== 'default')
    throw invalidHandler(handler);
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { mask = [], restart = true, once = false, ref = false } = options;
  checkBoolean('options.restart', restart);
  checkBoolean('options.once', once);
  checkBoolean('options.ref', ref);
  const words = setOf(mask, 'sigaction', 'options.mask');
  const previous = actionOf(signo);

  if (typeof handler !== 'function') {
    const kind = handler === 'ignore' ? ACTION_IGNORE : ACTION_DEFAULT;
    replace(signo, kind, undefined);
    return new SignalAction(signo, previous, kind);
  }
  const low = words.low | lowBit(signo);
  const high = words.high | highBit(signo);
  const blocked: number[] = [];
  for (let each = 1; each <= NSIG; each++) if (inWords(low, high, each)) blocked.push(each);
  const made: Handler = {
    signo,
    call: handler,
    low,
    high,
    blocked,
    restart,
    once,
    setter: curthread(),
    removed: () => action.unref(),
  };
  const action = new SignalAction(signo, previous, ACTION_HANDLER, made);
  masks.set(made, fromWords(words.low, words.high));
  replace(signo, ACTION_HANDLER, made);
  if (ref) action.ref();
  return action;
}

function invalidHandler(handler: unknown): TypeError {
  return invalidType('handler', "of type function, 'ignore' or 'default'", handler);
}

function replace(signo: number, kind: number, handler: Handler | undefined): void {
  const before = handlers[signo];
  handlers[signo] = handler;
  native.setAction(signo, kind);
  before?.removed();
  if (kind === ACTION_IGNORE || (kind === ACTION_DEFAULT && isIgnoredByDefault(signo))) {
    discard(signo);
    for (const state of [...withPending]) state.discard(signo);
  } else recheck(signo);
}
