/**
 * guard.ts: what lock() and its like return, for `using`. There is one for each lock, as a lock knows itself who has it.
 */

/** A lock that the running thread has taken. */
export class Guard {
  readonly #unlock: () => void;

  /** @internal */
  constructor(unlock: () => void) {
    this.#unlock = unlock;
  }

  /** Lets go: the lock's unlock(), which throws EPERM where the running thread does not have it. */
  release(): void {
    this.#unlock();
  }

  [Symbol.dispose](): void {
    this.#unlock();
  }
}
