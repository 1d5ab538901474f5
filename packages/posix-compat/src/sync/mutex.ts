/**
 * mutex.ts: mutexes. On one rfork they are fair: whoever lets go gives the mutex to the first who waits, as a userthread that locks again at once would
 * otherwise keep it from all others for ever. Between rforks the next one who comes gets it.
 *
 * STATE is 0 if it is free; else rfork << 2 | 1, with rfork the owner's, 0 for a plain Worker; | 2 if somebody may wait.
 *
 * Invariants:
 *  - The owner alone writes the other words, before it lets go: those of an owner on this rfork don't change while one looks at them.
 *  - Who waits has seen the 2 in STATE, or put it there.
 */
import { curthread, type UserThread } from '@libcr/core';
import { mayBlock, self, thread0, wouldBlock } from '@libcr/core/internal';
import { CLOCK_REALTIME, type Clock, type Deadline, Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import { checkBoolean, checkOneOf, type Limited, uninterruptible } from '../options.ts';
import { withoutCancellation } from '../pthread/cancel-state.ts';
import { Futex, GRANTED, LATE } from '../wait/futex.ts';
import { Existing, type Kind, Placed, type PlaceOptions, type SharedPlace } from '../wait/place.ts';
import { Guard } from './guard.ts';
import { dropRobust, keepRobust, rforkIsGone, whileWatched } from './robust.ts';

const KIND: Kind = { number: 1, words: 5, init: 'pthread_mutex_init' };

const STATE = 1;
/** The owner's id on its rfork; NOBODY if it has none. */
const OWNER = 2;
/** How often a recursive one is to be unlocked besides. */
const COUNT = 3;
const HEALTH = 4;

const WAITERS = 2;
const LOCKED = (self.id << 2) | 1;
const NOBODY = -1;

/** In HEALTH: its owner has ended; and nobody has made it consistent before he let go of it. */
const OWNER_DEAD = 1;
const NOT_RECOVERABLE = 2;

const TYPES = ['normal', 'recursive', 'errorcheck'] as const;
const ROBUST = 4;
const COUNT_MAX = 2 ** 31 - 1;

export type MutexType = (typeof TYPES)[number];

export interface MutexOptions extends PlaceOptions {
  /**
   * 'recursive': its owner may lock it again, and unlocks it as often. 'normal' (if absent) and 'errorcheck': then EDEADLK, as a thread that waits for itself
   * would wait for ever; what C leaves undefined for the one is an error for both.
   */
  type?: MutexType | undefined;
  /** Whoever locks it after its owner has ended gets EOWNERDEAD, and has it. (PTHREAD_MUTEX_ROBUST) */
  robust?: boolean | undefined;
}

/**
 * A mutex: one userthread has it, and others that want it wait. It is kept while its owner blocks, which a Token isn't. Uncontended it costs a few
 * nanoseconds. On thread0 it can be locked if it is free. (pthread_mutex_t)
 */
export class Mutex extends Placed {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = KIND.words * 4;

  readonly #recursive: boolean;
  readonly #robust: boolean;
  readonly #shared: boolean;
  readonly #futex: Futex;
  readonly #guard: Guard;

  /** Makes one. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never blocks. (pthread_mutex_init) */
  constructor(options: MutexOptions | Existing = {}) {
    super(KIND, options, options instanceof Existing ? 0 : attributesOf(options));
    this.#recursive = (this.attributes & 3) === TYPES.indexOf('recursive');
    this.#robust = (this.attributes & ROBUST) !== 0;
    this.#shared = this.isShared;
    this.#futex = new Futex(this.words, STATE, 'one', () => this.#letGo());
    this.#guard = new Guard(() => this.unlock());
    if (!(options instanceof Existing)) this.ready(KIND);
  }

  /** The one at that place. Throws EINVAL if there is none. */
  static at(place: SharedPlace): Mutex {
    return new Mutex(new Existing(place));
  }

  /** @internal Whether a thread of another rfork has it. */
  get isElsewhere(): boolean {
    const state = Atomics.load(this.words, STATE);
    return state !== 0 && (state | WAITERS) !== (LOCKED | WAITERS);
  }

  get type(): MutexType {
    return TYPES[this.attributes & 3] as MutexType;
  }

  get robust(): boolean {
    return this.#robust;
  }

  /**
   * Locks it, and blocks the running userthread while others have it; what it returns is for `using`. No cancellation point, but td.abort() ends the
   * wait. Throws EDEADLK where the thread has it already and it isn't recursive, EAGAIN where a recursive one has been locked 2^31-1 times,
   * EOWNERDEAD (it is locked then) and ENOTRECOVERABLE for a robust one, ETIMEDOUT and AbortError as options say,
   * ERR_LWKT_WOULD_BLOCK on thread0. (pthread_mutex_lock)
   */
  lock(options?: LockOptions): Guard {
    return this.#lockUntil(options === undefined ? undefined : Limit.of(options), 'pthread_mutex_lock');
  }

  /** Locks it if that needs no waiting; else undefined. Throws EDEADLK never, else as lock(). (pthread_mutex_trylock, whose EBUSY is undefined here) */
  tryLock(): Guard | undefined {
    const me = curthread();
    for (;;) {
      if (this.#take()) {
        this.#acquired(me);
        return this.#guard;
      }
      if (this.#recursive && this.#isOwn(me)) {
        this.#again();
        return this.#guard;
      }
      if (!this.#takeFromTheDead()) return undefined;
    }
  }

  /** lock() until that point in time of CLOCK_REALTIME. If the mutex is free it does not look at the time. (pthread_mutex_timedlock) */
  timedLock(deadline: Deadline): Guard {
    return this.#lockUntil(Limit.at(CLOCK_REALTIME, deadline), 'pthread_mutex_timedlock');
  }

  /** lock() until that clock shows deadline, in milliseconds. (pthread_mutex_clocklock) */
  clockLock(clock: Clock, deadline: Deadline): Guard {
    return this.#lockUntil(Limit.at(clock, deadline), 'pthread_mutex_clocklock');
  }

  /** Lets go, or undoes one lock() of a recursive one. Throws EPERM where the running thread doesn't have it. Never blocks. (pthread_mutex_unlock) */
  unlock(): void {
    const { words } = this;
    const me = curthread();
    if (!this.#isOwn(me)) throw posixError('EPERM', 'pthread_mutex_unlock');
    if (this.#recursive && (words[COUNT] as number) > 0) (words[COUNT] as number)--;
    else this.#unlockWholly(me);
  }

  /** The owner, who has got EOWNERDEAD, has put in order what it protects. Throws EINVAL otherwise. (pthread_mutex_consistent) */
  consistent(): void {
    if (!this.#robust || !this.#isOwn(curthread()) || this.words[HEALTH] !== OWNER_DEAD)
      throw posixError('EINVAL', 'pthread_mutex_consistent');
    this.words[HEALTH] = 0;
  }

  #lockUntil(limit: Limit | undefined, name: string): Guard {
    const me = curthread();
    mayBlock(name);
    if (this.#take()) this.#acquired(me);
    else this.#lockSlowly(me, limit, name);
    return this.#guard;
  }

  /** @internal For a Cond: lets go wholly, however often it is locked; returns what lockAgain() needs. Throws EPERM. */
  leave(me: UserThread, name: string): number {
    if (!this.#isOwn(me)) throw posixError('EPERM', name);
    const count = this.words[COUNT] as number;
    this.words[COUNT] = 0;
    this.#unlockWholly(me);
    return count;
  }

  /** @internal Has it again, whatever is asked of the thread meanwhile. */
  lockAgain(me: UserThread, count: number, name: string): void {
    if (this.#take()) this.#acquired(me);
    else this.#lockSlowly(me, uninterruptible, name);
    this.words[COUNT] = count;
  }

  /** Takes it if it is free. Among the threads of one rfork no atomic operation is needed, which V8 does not compile to a single instruction. */
  #take(): boolean {
    const { words } = this;
    if (this.#shared) return Atomics.compareExchange(words, STATE, 0, LOCKED) === 0;
    if (words[STATE] !== 0) return false;
    words[STATE] = LOCKED;
    return true;
  }

  /** What a thread of this rfork would have written there can't change while one looks. */
  #isOwn(me: UserThread): boolean {
    const { words } = this;
    return ((words[STATE] as number) | WAITERS) === (LOCKED | WAITERS) && words[OWNER] === (me.id | 0);
  }

  #again(): void {
    if (this.words[COUNT] === COUNT_MAX) throw posixError('EAGAIN', 'pthread_mutex_lock');
    (this.words[COUNT] as number)++;
  }

  #acquired(me: UserThread): void {
    this.words[OWNER] = me.id;
    if (this.#robust) this.#acquiredRobust(me);
  }

  #acquiredRobust(me: UserThread): void {
    const health = this.words[HEALTH];
    if (health === NOT_RECOVERABLE) {
      this.#letGo();
      throw posixError('ENOTRECOVERABLE', 'pthread_mutex_lock');
    }
    if (me !== thread0) keepRobust(me, this);
    if (health === OWNER_DEAD) throw posixError('EOWNERDEAD', 'pthread_mutex_lock');
  }

  #lockSlowly(me: UserThread, limit: Limited | undefined, name: string): void {
    if (this.#isOwn(me)) {
      if (!this.#recursive) throw posixError('EDEADLK', name);
      this.#again();
      return;
    }
    if (me === thread0) throw wouldBlock('Mutex.lock()');
    const wait = (): boolean => this.#wait(limit);
    const inTime = withoutCancellation(me, () =>
      this.#robust && this.#shared ? whileWatched(this, wait) : wait(),
    );
    if (!inTime) throw posixError('ETIMEDOUT', name);
    this.#acquired(me);
  }

  /** False: the time is up. */
  #wait(limit: Limited | undefined): boolean {
    const { words } = this;
    let locked = LOCKED;
    for (;;) {
      const state = Atomics.load(words, STATE);
      const contended = state | WAITERS;
      if (state === 0) {
        if (Atomics.compareExchange(words, STATE, 0, locked) === 0) return true;
      } else if (this.#takeFromTheDead()) {
        // it is free now, or a waiter's
      } else if (state === contended || Atomics.compareExchange(words, STATE, state, contended) === state) {
        if (this.#shared) locked = LOCKED | WAITERS; // others may wait, too: who has waited can't tell
        const outcome = this.#futex.wait(contended, 'mutex', limit);
        if (outcome === GRANTED) return true;
        if (outcome === LATE) return false;
      }
    }
  }

  #unlockWholly(me: UserThread): void {
    if (this.#robust) {
      dropRobust(me, this);
      if (this.words[HEALTH] === OWNER_DEAD) this.words[HEALTH] = NOT_RECOVERABLE;
    }
    this.#letGo();
  }

  /** This rfork has it, and it goes on to whoever wants it. */
  #letGo(): void {
    const { words } = this;
    words[OWNER] = NOBODY;
    if (!this.#shared && words[STATE] === LOCKED) {
      words[STATE] = 0;
      return;
    }
    if (Atomics.compareExchange(words, STATE, LOCKED, 0) === LOCKED) return;
    const next = this.#futex.grant();
    if (next !== undefined) {
      words[OWNER] = next.id;
      if (!this.#shared && !this.#futex.hasWaiters) words[STATE] = LOCKED;
      return;
    }
    Atomics.store(words, STATE, 0);
    this.#futex.wakeOne();
  }

  /** Whether its owner was on an rfork that is no more: then it is free now, or somebody has it. */
  #takeFromTheDead(): boolean {
    if (!this.#robust || !this.#shared) return false;
    const rfork = Atomics.load(this.words, STATE) >> 2;
    return rfork !== 0 && rfork !== self.id && rforkIsGone(rfork) && this.rforkHasEnded(rfork);
  }

  /** @internal */
  threadHasEnded(): void {
    this.words[COUNT] = 0;
    this.words[HEALTH] = OWNER_DEAD;
    this.#letGo();
  }

  /** @internal Whether it was that one's. */
  rforkHasEnded(rfork: number): boolean {
    const { words } = this;
    const state = Atomics.load(words, STATE);
    if (state >> 2 !== rfork || Atomics.compareExchange(words, STATE, state, LOCKED | WAITERS) !== state)
      return false;
    this.threadHasEnded();
    return true;
  }

  override toString(): string {
    const state = Atomics.load(this.words, STATE);
    return `Mutex ${state === 0 ? 'free' : `locked${state & WAITERS ? ', contended' : ''}`}`;
  }
}

function attributesOf(options: MutexOptions): number {
  const { type = 'normal', robust = false } = options ?? {};
  checkOneOf('options.type', TYPES, type);
  checkBoolean('options.robust', robust);
  return TYPES.indexOf(type) | (robust ? ROBUST : 0);
}
