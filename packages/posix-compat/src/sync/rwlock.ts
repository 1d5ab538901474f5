/**
 * rwlock.ts: read-write locks, which prefer neither side: a reader that comes while a writer waits waits, too; when a writer lets go, all readers that
 * have waited go first, then the next writer. So nobody waits longer than one turn of the others. (Phase-fair: Brandenburg & Anderson, 2009.)
 *
 * Invariants:
 *  - HOLDERS is the number of readers, or WRITER. Who reads on this rfork is in #readers.
 *  - READ_TURN changes before waiting readers are woken, WRITE_TURN before a waiting writer is: each has looked at its own before at HOLDERS.
 */
import { curthread, type UserThread } from '@libcr/core';
import { mayBlock, self, thread0, wouldBlock } from '@libcr/core/internal';
import { CLOCK_REALTIME, type Clock, type Deadline, Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import { withoutCancellation } from '../pthread/cancel-state.ts';
import { Futex, GRANTED, LATE } from '../wait/futex.ts';
import { Existing, type Kind, Placed, type PlaceOptions, type SharedPlace } from '../wait/place.ts';
import { Guard } from './guard.ts';

const KIND: Kind = { number: 3, words: 8, init: 'pthread_rwlock_init' };

const HOLDERS = 1;
/** The writer: its rfork, and its id there. */
const WRITER_RFORK = 2;
const WRITER_ID = 3;
const READ_TURN = 4;
const WRITE_TURN = 5;
/** How many wait, of whatever rfork. */
const READERS_WAITING = 6;
const WRITERS_WAITING = 7;

const WRITER = -1;
const HOLDERS_MAX = 2 ** 31 - 1;

/** A read-write lock: several userthreads read, or one writes. (pthread_rwlock_t) */
export class RWLock extends Placed {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = KIND.words * 4;

  readonly #shared: boolean;
  readonly #readFutex: Futex;
  readonly #writeFutex: Futex;
  readonly #guard: Guard;
  /** How often each thread of this rfork has it for reading. */
  readonly #readers = new Map<UserThread, number>();

  /** Makes one. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never blocks. (pthread_rwlock_init) */
  constructor(options: PlaceOptions | Existing = {}) {
    super(KIND, options, 0);
    this.#shared = this.isShared;
    this.#readFutex = new Futex(this.words, READ_TURN, 'all', () => this.#leaveReading());
    this.#writeFutex = new Futex(this.words, WRITE_TURN, 'one', () => this.#leaveWriting());
    this.#guard = new Guard(() => this.unlock());
    if (!(options instanceof Existing)) this.ready(KIND);
  }

  /** The one at that place. Throws EINVAL if there is none. A thread that has it for reading unlocks it through the same object. */
  static at(place: SharedPlace): RWLock {
    return new RWLock(new Existing(place));
  }

  /**
   * Takes it for reading, together with others who do; blocks the running userthread while one writes, and, unless the thread reads already, while one waits to
   * write. What it returns is for `using`. No cancellation point. Throws EDEADLK where the thread has it for writing, EAGAIN for
   * more than 2^31-1 readers, ETIMEDOUT and AbortError as options say, ERR_LWKT_WOULD_BLOCK on thread0. (pthread_rwlock_rdlock)
   */
  readLock(options?: LockOptions): Guard {
    return this.#read(options === undefined ? undefined : Limit.of(options), 'pthread_rwlock_rdlock');
  }

  /** Takes it for reading if that needs no waiting; else undefined. (pthread_rwlock_tryrdlock, whose EBUSY is undefined here) */
  tryReadLock(): Guard | undefined {
    return this.#enterReading(curthread()) ? this.#guard : undefined;
  }

  /** readLock() until that point in time of CLOCK_REALTIME. If it can be had it does not look at the time. (pthread_rwlock_timedrdlock) */
  timedReadLock(deadline: Deadline): Guard {
    return this.#read(Limit.at(CLOCK_REALTIME, deadline), 'pthread_rwlock_timedrdlock');
  }

  /** readLock() until that clock shows deadline, in milliseconds. (pthread_rwlock_clockrdlock) */
  clockReadLock(clock: Clock, deadline: Deadline): Guard {
    return this.#read(Limit.at(clock, deadline), 'pthread_rwlock_clockrdlock');
  }

  /**
   * Takes it for writing; blocks the running userthread while others have it. What it returns is for `using`. No cancellation point. Throws EDEADLK where the thread has
   * it, for reading or for writing; ETIMEDOUT and AbortError as options say, ERR_LWKT_WOULD_BLOCK on thread0. (pthread_rwlock_wrlock)
   */
  writeLock(options?: LockOptions): Guard {
    return this.#write(options === undefined ? undefined : Limit.of(options), 'pthread_rwlock_wrlock');
  }

  /** Takes it for writing if nobody has it; else undefined. (pthread_rwlock_trywrlock, whose EBUSY is undefined here) */
  tryWriteLock(): Guard | undefined {
    return this.#enterWriting(curthread()) ? this.#guard : undefined;
  }

  /** writeLock() until that point in time of CLOCK_REALTIME. If it can be had it does not look at the time. (pthread_rwlock_timedwrlock) */
  timedWriteLock(deadline: Deadline): Guard {
    return this.#write(Limit.at(CLOCK_REALTIME, deadline), 'pthread_rwlock_timedwrlock');
  }

  /** writeLock() until that clock shows deadline, in milliseconds. (pthread_rwlock_clockwrlock) */
  clockWriteLock(clock: Clock, deadline: Deadline): Guard {
    return this.#write(Limit.at(clock, deadline), 'pthread_rwlock_clockwrlock');
  }

  /** Lets go of what the running thread has. Throws EPERM if that is nothing. Never blocks. (pthread_rwlock_unlock) */
  unlock(): void {
    const me = curthread();
    if (this.#isWriter(me)) {
      this.#leaveWriting();
      return;
    }
    const times = this.#readers.get(me);
    if (times === undefined) throw posixError('EPERM', 'pthread_rwlock_unlock');
    if (times === 1) this.#readers.delete(me);
    else this.#readers.set(me, times - 1);
    this.#leaveReading();
  }

  #isWriter(me: UserThread): boolean {
    const { words } = this;
    // The rfork first: if it is this one, nothing changes until the running thread has looked.
    return (
      Atomics.load(words, HOLDERS) === WRITER &&
      Atomics.load(words, WRITER_RFORK) === self.id &&
      words[WRITER_ID] === (me.id | 0)
    );
  }

  #read(limit: Limit | undefined, name: string): Guard {
    const me = curthread();
    mayBlock(name);
    if (this.#enterReading(me)) return this.#guard;
    if (this.#isWriter(me)) throw posixError('EDEADLK', name);
    if (me === thread0) throw wouldBlock('RWLock.readLock()');
    const { words } = this;
    Atomics.add(words, READERS_WAITING, 1);
    try {
      withoutCancellation(me, () => this.#waitToRead(me, limit, name));
    } finally {
      Atomics.sub(words, READERS_WAITING, 1);
    }
    return this.#guard;
  }

  #waitToRead(me: UserThread, limit: Limit | undefined, name: string): void {
    const { words } = this;
    for (let first = true; ; first = false) {
      const turn = Atomics.load(words, READ_TURN);
      // Once it has waited until it is the readers' turn it goes before writers.
      if (this.#enterReading(me, !first)) return;
      const outcome = this.#readFutex.wait(turn, 'rwlock, to read', limit);
      if (outcome === LATE) throw posixError('ETIMEDOUT', name);
      if (outcome !== GRANTED) continue;
      this.#nowReads(me);
      return;
    }
  }

  #enterReading(me: UserThread, beforeWriters = this.#readers.has(me)): boolean {
    const { words } = this;
    for (;;) {
      const holders = Atomics.load(words, HOLDERS);
      if (holders === WRITER || (!beforeWriters && Atomics.load(words, WRITERS_WAITING) > 0)) return false;
      if (holders === HOLDERS_MAX) throw posixError('EAGAIN', 'pthread_rwlock_rdlock');
      if (Atomics.compareExchange(words, HOLDERS, holders, holders + 1) !== holders) continue;
      this.#nowReads(me);
      return true;
    }
  }

  #nowReads(me: UserThread): void {
    this.#readers.set(me, (this.#readers.get(me) ?? 0) + 1);
  }

  #leaveReading(): void {
    const { words } = this;
    for (;;) {
      const holders = Atomics.load(words, HOLDERS);
      const toWriter = holders === 1 && this.#writeFutex.canGrant;
      const after = toWriter ? WRITER : holders - 1;
      if (Atomics.compareExchange(words, HOLDERS, holders, after) !== holders) continue;
      if (toWriter) this.#giveToWriter();
      else if (after === 0) this.#offer();
      return;
    }
  }

  #write(limit: Limit | undefined, name: string): Guard {
    const me = curthread();
    mayBlock(name);
    if (this.#enterWriting(me)) return this.#guard;
    if (this.#isWriter(me) || this.#readers.has(me)) throw posixError('EDEADLK', name);
    if (me === thread0) throw wouldBlock('RWLock.writeLock()');
    const { words } = this;
    Atomics.add(words, WRITERS_WAITING, 1);
    let has = false;
    try {
      has = withoutCancellation(me, () => this.#waitToWrite(me, limit));
    } finally {
      // Readers may have waited for this one only.
      if (Atomics.sub(words, WRITERS_WAITING, 1) === 1 && !has) this.#letReadersIn();
    }
    if (!has) throw posixError('ETIMEDOUT', name);
    return this.#guard;
  }

  /** False: the time is up. */
  #waitToWrite(me: UserThread, limit: Limit | undefined): boolean {
    for (;;) {
      const turn = Atomics.load(this.words, WRITE_TURN);
      if (this.#enterWriting(me)) return true;
      const outcome = this.#writeFutex.wait(turn, 'rwlock, to write', limit);
      if (outcome === GRANTED) return true;
      if (outcome === LATE) return false;
    }
  }

  #enterWriting(me: UserThread): boolean {
    if (Atomics.compareExchange(this.words, HOLDERS, 0, WRITER) !== 0) return false;
    this.#nowWrites(me);
    return true;
  }

  #nowWrites(td: UserThread): void {
    this.words[WRITER_ID] = td.id;
    Atomics.store(this.words, WRITER_RFORK, self.id);
  }

  /** To the readers that wait, then to a writer. */
  #leaveWriting(): void {
    const { words } = this;
    Atomics.store(words, WRITER_RFORK, 0);
    if (this.#readFutex.hasWaiters) {
      Atomics.store(words, HOLDERS, 1);
      this.#readFutex.grantNext();
      this.#letReadersIn();
    } else if (Atomics.load(words, READERS_WAITING) === 0 && this.#writeFutex.canGrant) this.#giveToWriter();
    else {
      Atomics.store(words, HOLDERS, 0);
      this.#letReadersIn();
      this.#offer();
    }
  }

  /** HOLDERS is WRITER already. */
  #giveToWriter(): void {
    this.#nowWrites(this.#writeFutex.grant() as UserThread);
  }

  /** Nobody has it: a writer may, or else the readers. */
  #offer(): void {
    const { words } = this;
    if (Atomics.load(words, WRITERS_WAITING) === 0) this.#letReadersIn();
    else {
      Atomics.add(words, WRITE_TURN, 1);
      this.#writeFutex.wakeOne();
    }
  }

  /** All that wait to read do so from now on, unless one writes: then they wait for that one. */
  #letReadersIn(): void {
    const { words } = this;
    while (this.#readFutex.hasWaiters) {
      const holders = Atomics.load(words, HOLDERS);
      if (holders === WRITER) return;
      if (Atomics.compareExchange(words, HOLDERS, holders, holders + 1) === holders)
        this.#readFutex.grantNext();
    }
    if (!this.#shared || Atomics.load(words, READERS_WAITING) === 0) return;
    Atomics.add(words, READ_TURN, 1);
    this.#readFutex.wakeAll();
  }

  override toString(): string {
    const holders = Atomics.load(this.words, HOLDERS);
    const who = holders === 0 ? 'free' : holders === WRITER ? 'written' : `read by ${holders}`;
    return `RWLock ${who}`;
  }
}
