/**
 * barrier.ts: barriers. STATE has how many have arrived in its lower bits, and above them the round, which the last one to arrive begins: so both
 * change at once.
 */
import { curthread } from '@libcr/core';
import { thread0, wouldBlock } from '@libcr/core/internal';
import { checkInteger } from '../options.ts';
import { withoutCancellation } from '../pthread/cancel-state.ts';
import { Futex } from '../wait/futex.ts';
import { Existing, type Kind, Placed, type PlaceOptions, type SharedPlace } from '../wait/place.ts';

const KIND: Kind = { number: 4, words: 3, init: 'pthread_barrier_init' };

const STATE = 1;
const COUNT = 2;

const ARRIVED_BITS = 20;
const ARRIVED = 2 ** ARRIVED_BITS - 1;
const roundOf = (state: number): number => state >>> ARRIVED_BITS;

/** What one of each round gets from wait(). */
export const BARRIER_SERIAL_THREAD = -1;

/** A barrier: nobody gets beyond it before all are there. It can be used again at once. (pthread_barrier_t) */
export class Barrier extends Placed {
  /** What it takes of shared memory, in bytes. */
  static readonly BYTES: number = KIND.words * 4;

  readonly #futex: Futex;

  /**
   * Makes one for so many threads, 1 to 1,048,575. Throws TypeError and RangeError, EBUSY where the memory is not zero. Never
   * blocks. (pthread_barrier_init)
   */
  constructor(count: number | Existing, options: PlaceOptions = {}) {
    if (!(count instanceof Existing)) checkInteger('count', count, 1, ARRIVED);
    super(KIND, count instanceof Existing ? count : options, 0);
    this.#futex = new Futex(this.words, STATE, 'all');
    if (count instanceof Existing) return;
    Atomics.store(this.words, COUNT, count);
    this.ready(KIND);
  }

  /** The one at that place. Throws EINVAL if there is none. */
  static at(place: SharedPlace): Barrier {
    return new Barrier(new Existing(place));
  }

  /** How many meet here. */
  get count(): number {
    return this.words[COUNT] as number;
  }

  /**
   * Blocks the running userthread until as many are here as the barrier is for. One of them gets BARRIER_SERIAL_THREAD (-1), the others 0. No cancellation
   * point; a thread that td.abort() ends here has not been here. Throws AbortError, ERR_LWKT_WOULD_BLOCK on thread0 unless it
   * is the last. (pthread_barrier_wait)
   */
  wait(): number {
    const { words } = this;
    const me = curthread();
    const count = words[COUNT] as number;
    let state = Atomics.load(words, STATE);
    for (;;) {
      const last = (state & ARRIVED) + 1 === count;
      if (!last && me === thread0) throw wouldBlock('Barrier.wait()');
      const next = last ? (roundOf(state) + 1) << ARRIVED_BITS : state + 1;
      const seen = Atomics.compareExchange(words, STATE, state, next);
      if (seen !== state) {
        state = seen;
        continue;
      }
      if (last) {
        this.#futex.wakeAll();
        return BARRIER_SERIAL_THREAD;
      }
      break;
    }
    withoutCancellation(me, () => this.#waitFor(roundOf(state)));
    return 0;
  }

  #waitFor(round: number): void {
    const { words } = this;
    try {
      for (;;) {
        const state = Atomics.load(words, STATE);
        if (roundOf(state) !== round) return;
        this.#futex.wait(state, 'barrier', undefined);
      }
    } catch (error) {
      this.#withdraw(round);
      throw error;
    }
  }

  #withdraw(round: number): void {
    const { words } = this;
    for (;;) {
      const state = Atomics.load(words, STATE);
      if (roundOf(state) !== round || Atomics.compareExchange(words, STATE, state, state - 1) === state)
        return;
    }
  }

  override toString(): string {
    return `Barrier ${Atomics.load(this.words, STATE) & ARRIVED} of ${this.count}`;
  }
}
