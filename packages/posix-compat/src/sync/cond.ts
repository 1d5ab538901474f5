/**
 * cond.ts: condition variables. SEQUENCE counts the signals of other rforks': who waits has seen it before he let go of the mutex, so a signal after that is
 * not missed. Among the threads of one rfork nobody comes between letting go and waiting.
 */
import { curthread } from '@libcr/core';
import { invalidType, thread0, throwIfAborted, wouldBlock } from '@libcr/core/internal';
import { CLOCK_REALTIME, type Clock, checkClock, type Deadline, Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import { Futex, LATE } from '../wait/futex.ts';
import { Existing, type Kind, Placed, type PlaceOptions, type SharedPlace } from '../wait/place.ts';
import { Mutex } from './mutex.ts';

const KIND: Kind = { number: 2, words: 3, init: 'pthread_cond_init' };

const SEQUENCE = 1;
/** How many wait, of whatever rfork; kept for shared ones only. */
const WAITING = 2;

export interface CondOptions extends PlaceOptions {
  /** The clock of timedWait(); CLOCK_REALTIME if absent. (pthread_condattr_setclock) */
  clock?: Clock | undefined;
}

/** A condition variable: userthreads wait at it until others say that something has changed. (pthread_cond_t) */
export class Cond extends Placed {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = KIND.words * 4;

  readonly #shared: boolean;
  readonly #futex: Futex;

  /** Makes one. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never blocks. (pthread_cond_init) */
  constructor(options: CondOptions | Existing = {}) {
    super(KIND, options, options instanceof Existing ? 0 : clockOf(options));
    this.#shared = this.isShared;
    this.#futex = new Futex(this.words, SEQUENCE, 'difference');
    if (!(options instanceof Existing)) this.ready(KIND);
  }

  /** The one at that place. Throws EINVAL if there is none. */
  static at(place: SharedPlace): Cond {
    return new Cond(new Existing(place));
  }

  /** The clock of timedWait(). */
  get clock(): Clock {
    return this.attributes as Clock;
  }

  /**
   * Lets go of the mutex and blocks the running userthread until a signal; then it has the mutex again, as it has whenever this returns or throws. It may return without a
   * signal: look at the condition again, in a loop. A recursive mutex is let go of wholly. A cancellation point. Throws EPERM where the thread doesn't have the
   * mutex, EOWNERDEAD and ENOTRECOVERABLE of a robust one, ETIMEDOUT and AbortError as options say, ERR_LWKT_WOULD_BLOCK on
   * thread0. (pthread_cond_wait)
   */
  wait(mutex: Mutex, options?: LockOptions): void {
    this.#wait(mutex, options === undefined ? undefined : Limit.of(options), 'pthread_cond_wait');
  }

  /** wait() until the condition variable's clock shows deadline, in milliseconds: ETIMEDOUT. (pthread_cond_timedwait) */
  timedWait(mutex: Mutex, deadline: Deadline): void {
    this.#wait(mutex, Limit.at(this.clock, deadline), 'pthread_cond_timedwait');
  }

  /** wait() until that clock shows deadline, in milliseconds: ETIMEDOUT. (pthread_cond_clockwait) */
  clockWait(mutex: Mutex, clock: Clock, deadline: Deadline): void {
    this.#wait(mutex, Limit.at(clock, deadline), 'pthread_cond_clockwait');
  }

  #wait(mutex: Mutex, limit: Limit | undefined, name: string): void {
    if (!(mutex instanceof Mutex)) throw invalidType('mutex', 'an instance of Mutex', mutex);
    const me = curthread();
    if (me === thread0) throw wouldBlock('Cond.wait()');
    throwIfAborted();
    const { words } = this;
    const sequence = this.#shared ? Atomics.load(words, SEQUENCE) : (words[SEQUENCE] as number);
    this.#countWaiter(1);
    let count: number;
    try {
      count = mutex.leave(me, name);
    } catch (error) {
      this.#countWaiter(-1);
      throw error;
    }
    let late = false;
    try {
      late = this.#futex.wait(sequence, 'cond', limit) === LATE;
    } finally {
      this.#countWaiter(-1);
      mutex.lockAgain(me, count, name);
    }
    if (late) throw posixError('ETIMEDOUT', name);
  }

  /** Wakes one that waits, if there is one. Callable from anywhere, with the mutex or without it. Never blocks. (pthread_cond_signal) */
  signal(): void {
    if (!this.#isWaitedFor) return;
    if (this.#shared) Atomics.add(this.words, SEQUENCE, 1);
    this.#futex.wakeOne();
  }

  /** Wakes all that wait. Callable from anywhere, with the mutex or without it. Never blocks. (pthread_cond_broadcast) */
  broadcast(): void {
    if (!this.#isWaitedFor) return;
    if (this.#shared) this.#countAll();
    this.#futex.wakeAll();
  }

  /** As many signals as there are waiters, for the doorbells. Whoever comes after the last look sees another number than before he let go of the mutex. */
  #countAll(): void {
    const { words } = this;
    let told = 0;
    for (let all = Atomics.load(words, WAITING); all > told; all = Atomics.load(words, WAITING)) {
      Atomics.add(words, SEQUENCE, all - told);
      told = all;
    }
  }

  /** Before he lets go of the mutex: who has it next may signal at once, and must see that somebody is about to wait. */
  #countWaiter(n: 1 | -1): void {
    if (this.#shared) Atomics.add(this.words, WAITING, n);
  }

  get #isWaitedFor(): boolean {
    return this.#shared ? Atomics.load(this.words, WAITING) > 0 : this.#futex.hasWaiters;
  }

  override toString(): string {
    return `Cond${this.#futex.hasWaiters ? ', waited for' : ''}`;
  }
}

function clockOf(options: CondOptions): Clock {
  const { clock = CLOCK_REALTIME } = options ?? {};
  checkClock('options.clock', clock);
  return clock;
}
