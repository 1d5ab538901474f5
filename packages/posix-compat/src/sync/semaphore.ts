/**
 * semaphore.ts: counting semaphores without a name. Those with one, which C programs have too, are in ../named.
 *
 * On one rfork they are fair: a post goes to the first who waits, and the value stays 0. VALUE is what a plain Worker takes from, and waits at while
 * it is 0, counted in WAITING meanwhile.
 */
import { curthread } from '@libcr/core';
import { mayBlock, thread0, throwIfAborted } from '@libcr/core/internal';
import { CLOCK_REALTIME, type Clock, type Deadline, Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import {
  type NamedSemaphore,
  type OpenOptions,
  openSemaphore,
  unlinkSemaphore,
} from '../named/named-semaphore.ts';
import { checkInteger, SEM_VALUE_MAX } from '../options.ts';
import { Futex, GRANTED, LATE, type Outcome } from '../wait/futex.ts';
import { Existing, type Kind, Placed, type PlaceOptions, type SharedPlace } from '../wait/place.ts';

const KIND: Kind = { number: 5, words: 3, init: 'sem_init' };

const VALUE = 1;
const WAITING = 2;

/** A counting semaphore. (sem_t) */
export class Semaphore extends Placed {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = KIND.words * 4;

  readonly #shared: boolean;
  readonly #futex: Futex;

  /** Makes one with that value, 0 to 2^31-1. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never blocks. (sem_init) */
  constructor(value: number | Existing = 0, options: PlaceOptions = {}) {
    if (!(value instanceof Existing)) checkInteger('value', value, 0, SEM_VALUE_MAX);
    super(KIND, value instanceof Existing ? value : options, 0);
    this.#shared = this.isShared;
    this.#futex = new Futex(this.words, VALUE, 'one', () => this.post());
    if (value instanceof Existing) return;
    Atomics.store(this.words, VALUE, value);
    this.ready(KIND);
  }

  /** The one at that place. Throws EINVAL if there is none. */
  static at(place: SharedPlace): Semaphore {
    return new Semaphore(new Existing(place));
  }

  /** The semaphore of that name, which other programs have, too: see NamedSemaphore. Throws as said there. (sem_open) */
  static open(name: string, options?: OpenOptions): NamedSemaphore {
    return openSemaphore(name, options);
  }

  /** Takes the name away; who has the semaphore open keeps it. Throws ENOENT, EACCES, EINVAL, ENAMETOOLONG. (sem_unlink) */
  static unlink(name: string): void {
    unlinkSemaphore(name);
  }

  /** How often it can be taken without waiting. (sem_getvalue) */
  get value(): number {
    return Atomics.load(this.words, VALUE);
  }

  /**
   * Takes one, and blocks the running userthread while there is none. A cancellation point. Throws ETIMEDOUT and AbortError as options say,
   * ERR_LWKT_WOULD_BLOCK on thread0. (sem_wait)
   */
  wait(options?: LockOptions): void {
    this.#wait(options === undefined ? undefined : Limit.of(options), 'sem_wait');
  }

  /** Takes one if there is one; whether it has. (sem_trywait, whose EAGAIN is false here) */
  tryWait(): boolean {
    const { words } = this;
    if (!this.#shared) {
      if (words[VALUE] === 0) return false;
      (words[VALUE] as number)--;
      return true;
    }
    for (;;) {
      const value = Atomics.load(words, VALUE);
      if (value === 0) return false;
      if (Atomics.compareExchange(words, VALUE, value, value - 1) === value) return true;
    }
  }

  /** wait() until that point in time of CLOCK_REALTIME: ETIMEDOUT. Where there is one to take, it does not look at the time. (sem_timedwait) */
  timedWait(deadline: Deadline): void {
    this.#wait(Limit.at(CLOCK_REALTIME, deadline), 'sem_timedwait');
  }

  /** wait() until that clock shows deadline, in milliseconds: ETIMEDOUT. (sem_clockwait) */
  clockWait(clock: Clock, deadline: Deadline): void {
    this.#wait(Limit.at(clock, deadline), 'sem_clockwait');
  }

  #wait(limit: Limit | undefined, name: string): void {
    if (curthread() !== thread0) throwIfAborted();
    mayBlock(name);
    if (this.tryWait()) return;
    const { words } = this;
    if (this.#shared) Atomics.add(words, WAITING, 1);
    try {
      while (this.#block(limit, name) !== GRANTED && !this.tryWait());
      // Several may have been posted since the doorbell rang for this one.
      if (this.#shared && Atomics.load(words, VALUE) > 0 && Atomics.load(words, WAITING) > 1)
        this.#futex.wakeOne();
    } finally {
      if (this.#shared) Atomics.sub(words, WAITING, 1);
    }
  }

  #block(limit: Limit | undefined, name: string): Outcome {
    const outcome = this.#futex.wait(0, 'semaphore', limit);
    if (outcome === LATE) throw posixError('ETIMEDOUT', name);
    return outcome;
  }

  /** Gives one: to one that waits, if there is one. Callable from anywhere. Throws EOVERFLOW. Never blocks. (sem_post) */
  post(): void {
    if (this.#futex.grant() !== undefined) return;
    const { words } = this;
    for (;;) {
      const value = words[VALUE] as number;
      if (value === SEM_VALUE_MAX) throw posixError('EOVERFLOW', 'sem_post');
      if (Atomics.compareExchange(words, VALUE, value, value + 1) === value) break;
    }
    if (Atomics.load(words, WAITING) > 0) this.#futex.wakeOne();
  }

  override toString(): string {
    return `Semaphore ${this.value}`;
  }
}
