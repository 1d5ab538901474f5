/**
 * futex.ts: one word of memory, and the userthreads of this rfork that wait at it.
 *
 * Who is to be woken here is taken from a queue, by a switch. For shared memory there are others besides, on other rforks and in plain Workers,
 * who are woken by Atomics.notify. By that others wake us, too: this rfork has a doorbell at the word, one Atomics.waitAsync, however many of its threads
 * wait. All doorbells ring together, never one of them alone: that one could be somebody's who has given up, or be on an rfork that is about to end.
 *
 * Invariants:
 *  - Whoever changes the word wakes afterwards; whoever waits has looked at the word after the doorbell was there. So no wake-up is lost.
 *  - A waiter is in the queue exactly while its state is WAITING.
 *  - Nobody who leaves because of an abort or a cancellation takes a wake-up along that came after it.
 */
import { curthread, type UserThread } from '@libcr/core';
import { isDaemon, isInterrupted, native, suspend, thread0, wake, wouldBlock } from '@libcr/core/internal';
import { type Limited, uninterruptible } from '../options.ts';
import { isShared } from './place.ts';

/** How a wait ended: somebody said that it should look again; or gave it what it waits for; or the word was another; or its time was up. */
export const WOKEN = 1;
export const GRANTED = 2;
export const CHANGED = 3;
export const LATE = 4;
export type Outcome = typeof WOKEN | typeof GRANTED | typeof CHANGED | typeof LATE;

const WAITING = 0;

class Waiter {
  readonly td: UserThread;
  readonly #interruptible: boolean;
  state: typeof WAITING | typeof WOKEN | typeof GRANTED = WAITING;
  previous: Waiter | undefined;
  next: Waiter | undefined;

  constructor(td: UserThread, interruptible: boolean) {
    this.td = td;
    this.#interruptible = interruptible;
  }

  /** It will leave as soon as it runs, woken or not. */
  get isLeaving(): boolean {
    return this.#interruptible && isInterrupted(this.td);
  }
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false } | { async: true; value: Promise<string> };

const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** Of so many wake-ups one goes to other rforks, too, if there are waiters here: else two threads here could keep a lock from all others. */
const TURNS = 8;

/**
 * How many wait no longer when the doorbell rings: one, who sees to it that the next is woken; all; or as many as the word, which is then one that only
 * counts upwards, has been increased by.
 */
export type Ringing = 'one' | 'all' | 'difference';

export class Futex {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #shared: boolean;
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  readonly #ringing: Ringing;
  readonly #giveBack: () => void;
  #bell = false;
  /** The word when the doorbell was hung up. */
  #before = 0;
  #turn = 1;

  /** giveBack: what was granted to the running thread is not wanted, as it can't go on (a token of its is gone with its rfork). */
  constructor(words: Int32Array, index: number, ringing: Ringing, giveBack: () => void = () => {}) {
    this.#words = words;
    this.#index = index;
    this.#shared = isShared(words);
    this.#ringing = ringing;
    this.#giveBack = giveBack;
  }

  /** Where nobody else has it, a plain load will do, which is much cheaper: V8 calls a function for each of Atomics'. */
  get #word(): number {
    return this.#shared ? Atomics.load(this.#words, this.#index) : (this.#words[this.#index] as number);
  }

  /** Whether a thread of this rfork waits here. */
  get hasWaiters(): boolean {
    return this.#next() !== undefined;
  }

  /** Whose turn it is. */
  #next(): Waiter | undefined {
    let waiter = this.#first;
    while (waiter?.isLeaving) waiter = waiter.next;
    return waiter;
  }

  /**
   * Blocks the running userthread while the word is `expected`, until somebody wakes it or its time is up. Throws ERR_LWKT_WOULD_BLOCK on thread0, and on
   * abort: then nobody has woken it.
   */
  wait(expected: number, reason: string, limit: Limited | undefined): Outcome {
    if (this.#word !== expected) return CHANGED;
    const td = curthread();
    if (td === thread0) throw wouldBlock(reason);
    if (this.#shared && !this.#hang(expected)) return CHANGED;
    const waiter = new Waiter(td, limit !== uninterruptible);
    this.#enter(waiter);
    if (this.#shared) this.#hold(td, true);
    try {
      if (limit === undefined) while (waiter.state === WAITING) suspend(reason);
      else limit.wait(reason, () => waiter.state !== WAITING);
    } catch (error) {
      if (waiter.state === GRANTED) this.#giveBack();
      else if (waiter.state === WOKEN) this.wakeOne();
      throw error;
    } finally {
      if (this.#shared) this.#hold(td, false);
      if (waiter.state === WAITING) this.#leave(waiter);
    }
    return waiter.state === WAITING ? LATE : waiter.state;
  }

  /** Whether grant() would give it to somebody: one waits here, and it isn't the other rforks' turn. */
  get canGrant(): boolean {
    return this.hasWaiters && !(this.#shared && this.#turn % TURNS === 0);
  }

  /** Gives the first waiter of this rfork what it waits for; undefined where there is none, or it is the others' turn: wakeOne() says so to them. */
  grant(): UserThread | undefined {
    if (!this.canGrant) return undefined;
    this.#turn++;
    return this.#wakeFirst(GRANTED);
  }

  /** grant(), whoever's turn it is. */
  grantNext(): UserThread | undefined {
    return this.#wakeFirst(GRANTED);
  }

  /** Lets one look again. */
  wakeOne(): void {
    const here = this.#wakeFirst(WOKEN) !== undefined;
    if (this.#shared && (!here || this.#turn++ % TURNS === 0)) Atomics.notify(this.#words, this.#index);
  }

  /** Lets all look again. */
  wakeAll(): void {
    this.#wakeAllHere();
    if (this.#shared) Atomics.notify(this.#words, this.#index);
  }

  #wakeAllHere(): void {
    while (this.#wakeFirst(WOKEN) !== undefined);
  }

  #wakeFirst(state: typeof WOKEN | typeof GRANTED): UserThread | undefined {
    const waiter = this.#next();
    if (waiter === undefined) return undefined;
    this.#leave(waiter);
    waiter.state = state;
    wake(waiter.td);
    return waiter.td;
  }

  #enter(waiter: Waiter): void {
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
  }

  #leave(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.previous = undefined;
    waiter.next = undefined;
  }

  /** False: the word is another meanwhile. */
  #hang(expected: number): boolean {
    // The look at the word may have been before the doorbell's time, but this one isn't.
    if (this.#bell) return Atomics.load(this.#words, this.#index) === expected;
    const bell = waitAsync(this.#words, this.#index, expected);
    if (!bell.async) return false;
    this.#bell = true;
    this.#before = expected;
    bell.value.then(() => this.#ring());
    return true;
  }

  #ring(): void {
    this.#bell = false;
    if (this.#ringing === 'all') this.#wakeAllHere();
    else if (this.#first !== undefined) {
      const before = this.#before;
      const now = this.#hangAgain(); // first, so that it is there for those that go on waiting
      for (let n = this.#ringing === 'one' ? 1 : (now - before) >>> 0; n > 0; n--)
        if (this.#wakeFirst(WOKEN) === undefined) return;
    }
  }

  /** At the word as it is now, which is the answer. */
  #hangAgain(): number {
    for (;;) {
      const now = Atomics.load(this.#words, this.#index);
      if (this.#hang(now)) return now;
    }
  }

  /** A promise of Atomics.waitAsync doesn't keep Node's event loop alive. */
  #hold(td: UserThread, on: boolean): void {
    if (!isDaemon(td)) native.hold(on);
  }
}
