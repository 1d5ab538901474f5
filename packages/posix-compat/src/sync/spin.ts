/**
 * spin.ts: spin locks. One that another rfork has is looked at again and again for a moment. One that a thread of this rfork has can't become free
 * meanwhile: then, and after that moment, who wants it blocks as at a mutex, which is what is inside.
 */
import { inspectAsString } from '@libcr/core/internal';
import { Existing, type PlaceOptions, type SharedPlace } from '../wait/place.ts';
import type { Guard } from './guard.ts';
import { Mutex } from './mutex.ts';

/** How often one looks before one blocks: some microseconds, less than it takes to fall asleep and be woken. */
const LOOKS = 200;

/** A spin lock: a lock for a few instructions. (pthread_spinlock_t) */
export class Spin {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = Mutex.BYTES;

  readonly #mutex: Mutex;

  /** Makes one. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never blocks. (pthread_spin_init) */
  constructor(options: PlaceOptions | Existing = {}) {
    this.#mutex = new Mutex(options);
  }

  /** The one at that place. Throws EINVAL if there is none. */
  static at(place: SharedPlace): Spin {
    return new Spin(new Existing(place));
  }

  /** Whether threads of other rforks can have it. */
  get isShared(): boolean {
    return this.#mutex.isShared;
  }

  /** Where it is, for others: send this, and give it to at() there. Throws EINVAL unless it is shared. */
  get place(): SharedPlace {
    return this.#mutex.place;
  }

  /**
   * Locks it; what it returns is for `using`. Spins while another rfork's thread has it, some microseconds, and then blocks the running userthread. No cancellation point.
   * Throws EDEADLK where the thread has it, AbortError, ERR_LWKT_WOULD_BLOCK on thread0 if it isn't free. (pthread_spin_lock)
   */
  lock(): Guard {
    for (let look = 0; look < LOOKS && this.#mutex.isElsewhere; look++);
    return this.#mutex.lock();
  }

  /** Locks it if it is free; else undefined. (pthread_spin_trylock) */
  tryLock(): Guard | undefined {
    return this.#mutex.tryLock();
  }

  /** Lets go. Throws EPERM where the running thread doesn't have it. (pthread_spin_unlock) */
  unlock(): void {
    this.#mutex.unlock();
  }

  toString(): string {
    return String(this.#mutex).replace('Mutex', 'Spin');
  }
}

inspectAsString(Spin);
